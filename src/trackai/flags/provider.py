"""Our provider for OpenFeature: rules of a table, as they were when they were last read.

It evaluates and does nothing else; who reads the table, and when, is `switches.py`. The API is
OpenFeature's (specification 0.8, openfeature.dev), so that another system can take its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn
from uuid import UUID

from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import TargetingKeyMissingError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata
from typing_extensions import override

from trackai.model.alarm import INSTALLATION
from trackai.model.flag import FlagSet, Rule, Why, verdict_of

# What ours means in OpenFeature's words.
REASONS: Mapping[Why, Reason] = MappingProxyType(
    {
        Why.DEFAULT: Reason.DEFAULT,
        Why.EVERYBODY: Reason.STATIC,
        Why.SHARE: Reason.SPLIT,
        Why.OWN: Reason.TARGETING_MATCH,
        Why.KILLED: Reason.DISABLED,
    }
)


class TableProvider(AbstractProvider):
    """Flags are booleans; the targeting key is the tenant's id."""

    def __init__(self) -> None:
        super().__init__()
        self._rules: Mapping[tuple[UUID, str], Rule] = {}

    def believe(self, flags: Iterable[FlagSet]) -> None:
        """Evaluate by these rules from now on."""
        self._rules = {(one.tenant_id, one.key): one.rule for one in flags}

    @override
    def get_metadata(self) -> Metadata:
        """Return what this provider is called."""
        return Metadata(name="trackai-table")

    @override
    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Return whether a flag is on for the tenant that the context targets."""
        targeted = evaluation_context.targeting_key if evaluation_context else None
        if targeted is None:
            raise TargetingKeyMissingError("The targeting key is a tenant's id.")
        tenant_id, rules = UUID(targeted), self._rules
        everybodys, own = rules.get((INSTALLATION, flag_key)), rules.get((tenant_id, flag_key))
        verdict = verdict_of(flag_key, tenant_id, everybodys, own)
        return FlagResolutionDetails(
            value=verdict.on,
            reason=REASONS[verdict.why],
            variant="on" if verdict.on else "off",
            flag_metadata={"why": verdict.why.value, "off_mode": verdict.off_mode.value},
        )

    @override
    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Refuse: flags are booleans."""
        _refuse(flag_key)

    @override
    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Refuse: flags are booleans."""
        _refuse(flag_key)

    @override
    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Refuse: flags are booleans."""
        _refuse(flag_key)

    @override
    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """Refuse: flags are booleans."""
        _refuse(flag_key)


def _refuse(flag_key: str) -> NoReturn:
    raise TypeMismatchError(f"{flag_key} is a boolean, as every flag here.")
