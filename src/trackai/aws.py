"""What clients of Amazon's services have in common: how they say that they are not set up."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from trackai.errors import ConfigurationError


@contextmanager
def set_up(service: str) -> Iterator[None]:
    """ConfigurationError for a region or credentials that are missing; all else is the caller's."""
    try:
        yield
    except NoRegionError as error:
        raise ConfigurationError(f"{service} needs a region: set AWS_DEFAULT_REGION.") from error
    except (NoCredentialsError, PartialCredentialsError, ProfileNotFound) as error:
        raise ConfigurationError(
            f"{service} needs credentials: set AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, "
            "AWS_PROFILE, or give the machine a role."
        ) from error


def code_of(error: ClientError) -> str:
    """Return the code with which a service refused."""
    return str(error.response.get("Error", {}).get("Code", "unknown"))
