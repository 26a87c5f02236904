"""Values as people and platforms write them, and as nobody should: drawn from a seed."""

# ruff: noqa: RUF001, S311 - odd characters are the subject; draws must repeat
import unicodedata
from collections.abc import Callable, Iterator
from hashlib import md5, sha256
from random import Random

import pycountry

AREAS = "11 12 19 21 24 27 31 34 41 47 48 51 55 61 62 65 71 79 81 85 91 92 98 99".split()
UFS = "SP RJ MG RS PR SC BA PE CE DF GO AM PA ES MT MS".split()
STATES = """São Paulo;Rio de Janeiro;Minas Gerais;Rio Grande do Sul;Paraná;Ceará;Goiás;Maranhão;
    Espírito Santo;Distrito Federal;California;New York;west virginia;N.Y.;TX;Bayern""".split(";")
FIRST = """Maria;José;João;Ana Clara;Antônio;Conceição;Luís Otávio;Zé;Thaís;Ângela;Maria-Eduarda;
    D'Artagnan;Íris;Müller;Valéry;정;Мария;山田;Işık;Jr.;MARIA;francisco;Ñusta;Øyvind""".split(";")
LAST = """da Silva;dos Santos;Souza;Gonçalves;D'Ávila;Sant’Anna;de Oliveira Neto;Araújo Filho;
    Pereira;LIMA;e Silva;Guimarães;Müller;O'Brien;van der Berg;Nuñez;St. John;Costa-Gomes""".split(
    ";"
)
CITIES = """São Paulo;Rio de Janeiro;Belo Horizonte;Brasília;Florianópolis;Goiânia;Xique-Xique;
    Santa Bárbara d'Oeste;Mogi das Cruzes;São José dos Campos;Ribeirão Preto;Sant'Ana do Livramento;
    Paulo Afonso;Três Corações;Olho-d'Água;Uberlândia;東京;Москва;Tromsø;Łódź;
    Þórshöfn;Đakovo;Næstved;Gießen;Œuilly;Garðabær;Cidade 2000;Lisboa;
    Vitória, ES;Recife;Osasco""".split(";")
COUNTRIES = """BR;br;Brasil;BRA;Brazil;US;U.S.;USA;United States;PT;Portugal;PRT;UK;GB;DE;México;MX;
    XX;EU;T1;076;Atlantis;Bré;EL;Espanha;b r;AR;ao""".split(";")
GENDERS = "m f M F Masculino feminino male Female mulher Homem x o u N/A 0 1 mrs.".split()
PROVIDERS = (
    "gmail.com hotmail.com yahoo.com.br uol.com.br bol.com.br exemplo.com exémplo.com".split()
)
CHATS = ("{} (whatsapp)", "tel:{}", "{} / recado com a mãe", "whatsapp:{}", "{}@s.whatsapp.net")
SEPARATORS = ("", " ", "-", ".", "\u2013", "\xa0", "/")
ODD = "\u200b\ufeff\xa0\u0303\u0301\u2019'-.,;/()@#+\t\n\x00\ud83d\u2028🙂ﬁⅣ½İẞΣςªº٣３東عא𝒜\u202e"
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def _digits(draw: Random, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def _email(draw: Random) -> str:
    name = ".".join(draw.choice(FIRST + LAST).lower() for _ in range(draw.randint(1, 2)))
    plain = "".join(name.split())
    address = f"{plain}{draw.choice(('', '+curso', _digits(draw, 2)))}@{draw.choice(PROVIDERS)}"
    shape = draw.choice(("{}",) * 8 + ("{0};{0}", "Ana <{}>", "{}.", "@{}", "mailto {}", "{}..com"))
    return str(shape.format(address))


def _phone(draw: Random) -> str:
    area = draw.choice((*AREAS, "20", "00")) if draw.random() < 0.95 else ""
    local = draw.choice("9" * 5 + "234678") + _digits(draw, draw.choice((7, 7, 8, 8, 8)))
    between = draw.choice(SEPARATORS)
    number = f"{local[:-4]}{between}{local[-4:]}"
    if area:
        number = draw.choice(
            ("({}) {}", "{} {}", "{}{}", "{}-{}", "0{}{}", "(0{}) {}", "015{}{}")
        ).format(area, number)
    number = draw.choice(("",) * 5 + ("+55 ", "55", "+55", "0055", "+55 0", "00000")) + number
    number = draw.choice(
        (number,) * 12
        + (f"{_digits(draw, 12)}.0", number.translate(WIDE), number.translate(ARABIC))
    )
    return str(draw.choice(("{}",) * 12 + CHATS).format(number))


def _foreign_phone(draw: Random) -> str:
    code = draw.choice("1 351 34 33 49 44 52 57 54 244 81 39".split())
    number = _digits(draw, draw.randint(6, 13))
    return str(
        draw.choice(("+{} {}", "00{}{}", "+{} (0) {}", "{}{}", "+{}.{}", "{} {} ramal 9")).format(
            code, number
        )
    )


def _odd_phone(draw: Random) -> str:
    return draw.choice(
        (
            "1" * 11,
            "99999999999",
            "0800 123 4567",
            "190",
            _digits(draw, draw.randint(1, 20)),
            f"{_phone(draw)}/{_phone(draw)}",
            "liga depois",
            "+",
            "00",
        )
    )


def _name(draw: Random) -> str:
    return " ".join(draw.choice((FIRST, LAST)[i > 0]) for i in range(draw.randint(1, 3)))


def _city(draw: Random) -> str:
    shape = draw.choice(("{}",) * 5 + ("{}/{}", "{} - {}", "{} ({})", "{}, {}", "{} 80331", "L'{}"))
    return str(shape.format(draw.choice(CITIES).strip(), draw.choice(UFS)))


def _state(draw: Random) -> str:
    return draw.choice(
        (
            draw.choice(UFS),
            draw.choice(STATES),
            draw.choice(UFS).lower(),
            f"{draw.choice(UFS)} - Brasil",
            "35",
            "Sant'Ana",
        )
    )


def _zip(draw: Random) -> str:
    cep = _digits(draw, 8)
    return draw.choice(
        (
            f"{cep[:5]}-{cep[5:]}",
            cep,
            f"{cep[:2]}.{cep[2:5]}-{cep[5:]}",
            cep[1:],
            f"{cep[:5]} {cep[5:]}",
            cep[:5],
            f"{cep[:5]}-{cep[:4]}",
            f"{cep[:5]}\u2013{cep[:4]}",
            f"{cep[:4]}-{cep[5:]}",
            "M1 1AE",
            "K1A-0B1",
            "N/A",
            "-",
            "0",
            "〒100-0001",
        )
    )


def _country(draw: Random) -> str:
    if draw.random() < 0.4:
        found = draw.choice(list(pycountry.countries))
        return draw.choice((found.alpha_2, found.alpha_3, found.alpha_2.lower(), found.numeric))
    return draw.choice(COUNTRIES).strip()


def _date(draw: Random) -> str:
    year, month, day = (
        draw.choice((1899, 1950, 1988, 1997, 2001, 2026, 2031)),
        draw.randint(1, 13),
        draw.randint(1, 31),
    )
    shape = draw.choice(
        (
            "{0}-{1:02}-{2:02}",
            "{2:02}/{1:02}/{0}",
            "{1:02}/{2:02}/{0}",
            "{0}{1:02}{2:02}",
            "{2}.{1}.{0}",
            "{0}-{1}-{2}",
            "{0}{1}{2}",
            "{0}-{1:02}-{2:02}T00:00:00Z",
            "{2:02}/{1:02}/{0} 10:00",
            "{2} de maio de {0}",
            "{2:02}{1:02}{0}",
        )
    )
    return str(shape.format(year, month, day))


def _id(draw: Random) -> str:
    return draw.choice(
        (
            f"user-{_digits(draw, 5)}",
            f"Cliente {_digits(draw, 3)}",
            _email(draw),
            draw.choice(FIRST),
        )
    )


DRAWN: dict[str, tuple[Callable[[Random], str], ...]] = {
    "em": (_email,),
    "ph": (_phone, _phone, _phone, _foreign_phone, _odd_phone),
    "fn": (_name,),
    "ln": (_name,),
    "ct": (_city,),
    "st": (_state,),
    "zp": (_zip,),
    "country": (_country,),
    "ge": (lambda draw: draw.choice(GENDERS),),
    "db": (_date,),
    "external_id": (_id,),
}


def _spoilt(draw: Random, text: str) -> str:
    """Return the text as some keyboard, form, export or attacker may have left it."""
    place = draw.randint(0, len(text))
    return draw.choice(
        (
            unicodedata.normalize("NFD", text),
            unicodedata.normalize("NFC", text),
            f"  {text}\t",
            text.upper(),
            text.title(),
            text.swapcase(),
            f"\ufeff{text}",
            f"{text}\u200b",
            f"\xa0{text}\xa0",
            f'"{text}"',
            f"{text[:place]}{draw.choice(ODD)}{text[place:]}",
            text[:place],
            "".join(draw.choices(ODD, k=draw.randint(0, 6))),
            "".join(chr(draw.randint(0, 0x2FFF)) for _ in range(4)),
            "   ",
            "",
            sha256(text.encode("utf-8", "ignore")).hexdigest(),
            f" {sha256(text.encode('utf-8', 'ignore')).hexdigest().upper()} ",
            f"\ufeff{sha256(text.encode('utf-8', 'ignore')).hexdigest()}",
            md5(text.encode("utf-8", "ignore"), usedforsecurity=False).hexdigest(),
        )
    )


def drawn(key: str, count: int) -> Iterator[str]:
    """Yield that many values of the key, the same ones each time."""
    draw = Random(f"conformance {key}")
    for _ in range(count):
        text = draw.choice(DRAWN[key])(draw)
        for _ in range(draw.choice((0, 0, 0, 1, 1, 2))):
            text = _spoilt(draw, text)
        yield text
