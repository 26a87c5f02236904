"""Money as integer minor units and an ISO 4217 code; never a float.

The exponents are ISO 4217's (list one, as published 2026); currencies absent from the table of
exceptions have two decimals.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

# ISO 4217 currencies in circulation.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP
GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD
KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES
VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())

# ISO 4217 exponents that are not 2.
EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}

# Fits a PostgreSQL bigint with room for sums; ten trillion in major units.
MAX_MINOR = 10**15

_PLAIN_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (centavos, cents) of one currency."""

    amount_minor: int
    currency: str

    def major(self) -> Decimal:
        """Return the amount in major units with the currency's own number of decimals."""
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))


def exponent(currency: str) -> int:
    """Return how many decimals the currency has."""
    return EXPONENTS.get(currency, 2)


def parse_currency(text: str) -> str:
    """Return the upper-case ISO 4217 code; ValueError when there is no such currency."""
    code = text.strip().upper()
    if code not in CURRENCIES:
        raise ValueError("not an ISO 4217 currency code")
    return code


def from_minor(amount: int, currency: str) -> Money:
    """Build Money from minor units; ValueError when out of bounds or of unknown currency."""
    if isinstance(amount, bool) or not -MAX_MINOR <= amount <= MAX_MINOR:
        raise ValueError("amount out of bounds")
    return Money(amount, parse_currency(currency))


def from_major(amount: Decimal | int | str, currency: str) -> Money:
    """Build Money from major units such as 19.9 or "19.90"; half a minor unit rounds up.

    Decimals come as Decimal or text so that no binary float ever touches an amount. ValueError
    when it is no plain decimal, out of bounds or of unknown currency.
    """
    if isinstance(amount, str) and not _PLAIN_DECIMAL.fullmatch(amount.strip()):
        raise ValueError("not a plain decimal amount")
    code = parse_currency(currency)
    try:
        value = Decimal(amount)
        if not value.is_finite() or abs(value) > MAX_MINOR:
            raise ValueError("amount out of bounds")
        minor = int(value.scaleb(exponent(code)).to_integral_value(rounding="ROUND_HALF_UP"))
    except InvalidOperation as error:
        raise ValueError("not a decimal amount") from error
    return from_minor(minor, code)
