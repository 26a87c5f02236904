"""Secrets at AWS Secrets Manager: the installation's own, and defaults for tenants.

Values are never in the template. Amazon makes those that nobody else knows; the others are empty
until `aws secretsmanager put-secret-value`. Tenants' own ones stand below `tenants/`.
"""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

# What a tenant without a secret of its own may be given; name -> what it is.
DEFAULTS = {
    "meta_capi_token": "Access token of Meta's Conversions API",
    "perfectpay_secret": "Token of PerfectPay's webhooks",
    "hotmart_secret": "Hottok of Hotmart's webhooks",
    "kiwify_secret": "Secret of Kiwify's webhooks",
    "stripe_secret": "Signing secret of Stripe's webhooks",
}
# 43 letters and digits are 32 bytes in base64, without the sign that only fills it up.
_KEY_LENGTH = 43
_PASSWORD_LENGTH = 32


class Secrets(Construct):
    """What the processes start with, and what they look up later."""

    def __init__(self, scope: Construct, id_: str, prefix: str, key: kms.IKey) -> None:
        super().__init__(scope, id_)
        self._prefix, self._key = prefix, key
        self.secret_key = self._made("secret_key", "Encrypts all; keep a copy", _KEY_LENGTH)
        self.smtp_password = self._made(
            "smtp_password", "Of the mail server; replace it", _PASSWORD_LENGTH
        )
        self.pagerduty_key = self._made(
            "pagerduty_api_key", "Of PagerDuty's REST API, read-only; replace it", _PASSWORD_LENGTH
        )
        for name, said in DEFAULTS.items():
            self._secret(name, said, None)

    def _made(self, name: str, said: str, length: int) -> secretsmanager.ISecret:
        generated = secretsmanager.CfnSecret.GenerateSecretStringProperty(
            password_length=length, exclude_punctuation=True
        )
        made = self._secret(name, said, generated)
        return secretsmanager.Secret.from_secret_complete_arn(self, f"Of-{name}", made.ref)

    def _secret(
        self,
        name: str,
        said: str,
        generated: secretsmanager.CfnSecret.GenerateSecretStringProperty | None,
    ) -> secretsmanager.CfnSecret:
        # Not the construct of a higher level: that writes wildcards into the key's policy.
        secret = secretsmanager.CfnSecret(
            self,
            "".join(part.capitalize() for part in name.split("_")),
            name=f"{self._prefix}/{name}",
            description=said,
            kms_key_id=self._key.key_arn,
            generate_secret_string=generated,
        )
        secret.apply_removal_policy(RemovalPolicy.RETAIN)
        return secret
