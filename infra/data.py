"""PostgreSQL at Amazon RDS in two zones, and a place for page reports of an outage."""

from aws_cdk import CfnDeletionPolicy, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_efs as efs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from infra.facts import BACKUP_DAYS
from infra.network import POSTGRES_PORT, Network

# Since 15 Amazon takes connections by TLS alone (rds.force_ssl), unless told otherwise.
POSTGRES = "18.6"
NAME = LOGIN = "trackai"
STORAGE_GIB, MOST_STORAGE_GIB = 100, 1000
# The image's user (docs/adr/0041).
OWNER = "10001"
# Amazon's authorities, of all regions: in the image.
AUTHORITIES = "/etc/ssl/rds-roots.pem"


class Data(Construct):
    """The database, whose password Amazon makes and changes; files that outlive their server."""

    def __init__(
        self, scope: Construct, id_: str, network: Network, key: kms.IKey, database_class: str
    ) -> None:
        super().__init__(scope, id_)
        self._network, self._key = network, key
        self.database = self._database(database_class)
        self.files = efs.FileSystem(
            self,
            "Files",
            vpc=network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="data"),
            security_group=network.files,
            encrypted=True,
            kms_key=key,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.door = self.files.add_access_point(
            "Door",
            path="/trackai",
            create_acl=efs.Acl(owner_uid=OWNER, owner_gid=OWNER, permissions="0700"),
            posix_user=efs.PosixUser(uid=OWNER, gid=OWNER),
        )

    @property
    def password(self) -> str:
        """Return the secret with login and password."""
        return self.database.attr_master_user_secret_secret_arn

    @property
    def url(self) -> str:
        """Return the database's address, without a password."""
        host = self.database.attr_endpoint_address
        proof = f"sslmode=verify-full&sslrootcert={AUTHORITIES}"
        return f"postgresql://{LOGIN}@{host}:{POSTGRES_PORT}/{NAME}?{proof}"

    def _database(self, size: str) -> rds.CfnDBInstance:
        subnets = rds.CfnDBSubnetGroup(
            self,
            "Subnets",
            db_subnet_group_description="Track AI's database",
            subnet_ids=self._network.vpc.select_subnets(subnet_group_name="data").subnet_ids,
        )
        database = rds.CfnDBInstance(
            self,
            "Database",
            engine="postgres",
            engine_version=POSTGRES,
            db_instance_class=size,
            db_name=NAME,
            port=str(POSTGRES_PORT),
            master_username=LOGIN,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBInstance.MasterUserSecretProperty(
                kms_key_id=self._key.key_arn
            ),
            multi_az=True,
            publicly_accessible=False,
            allocated_storage=str(STORAGE_GIB),
            max_allocated_storage=MOST_STORAGE_GIB,
            storage_type="gp3",
            storage_encrypted=True,
            kms_key_id=self._key.key_arn,
            backup_retention_period=BACKUP_DAYS,
            copy_tags_to_snapshot=True,
            delete_automated_backups=False,
            deletion_protection=True,
            auto_minor_version_upgrade=True,
            db_subnet_group_name=subnets.ref,
            vpc_security_groups=[self._network.database.security_group_id],
        )
        database.cfn_options.deletion_policy = CfnDeletionPolicy.SNAPSHOT
        database.cfn_options.update_replace_policy = CfnDeletionPolicy.SNAPSHOT
        return database
