"""How files spell what the registry has a closed list for: kinds, statuses, events, categories. Compared folded.

The first word of each row is the registry's own. A spelling behind `WORDED` says more than the kind does, so it is
kept as the designation as well.
"""

from __future__ import annotations

from functools import cache, lru_cache

from app.domain.names import fold

PARTNERSHIP_KINDS = {
    "sister_city": "sister cities|sister|sister town|sister towns|sister community|sister county|sister state",
    "twin_town": "twin towns|twin|twin city|twin cities|twinning|town twinning|twinned",
    "friendship_city": "friendship cities|friendship|friendship town|friendship agreement|friendly city|friend city",
    "partner_city": "partner cities|partner|partner town|partnership|city partnership|partner municipality",
    "cooperation": "co-operation|cooperation agreement|collaboration|cooperation city",
    "project": "project partnership|project-based",
    "charter": "multilateral|multilateral charter|network",
    "other": "miscellaneous",
}
#: In other languages: the wording is kept beside the kind.
WORDED_KINDS = {
    "sister_city": (
        "ciudad hermana|hermanamiento|姉妹都市|姉妹都市提携|姉妹友好都市|자매도시|자매결연|zusterstad|cidade irmã"
        "|cidade-irmã"
    ),
    "twin_town": "jumelage|ville jumelée|gemellaggio|città gemellata|stedenband|vänort|vennskapsby|venskabsby|geminação"
    "|город-побратим|побратим",
    "friendship_city": (
        "Städtefreundschaft|Freundschaft|ville amie|ciudad amiga|友好都市|友好都市提携|友好城市|우호도시"
    ),
    "partner_city": "Partnerstadt|Städtepartnerschaft|Partnerschaft|Gemeindepartnerschaft|Kommunalpartnerschaft"
    "|ville partenaire|partenariat|miasto partnerskie|partnerská obec",
    "cooperation": "Kooperation|Zusammenarbeit|coopération|pacte d'amitié et de coopération|cooperación|交流都市",
    "project": "Projektpartnerschaft|Klimapartnerschaft|projet|proyecto",
    "charter": "Ringpartnerschaft",
}
STATUSES = {
    "proposed": "planned|pending|proposal|in preparation|under discussion|geplant|vorgeschlagen|en projet|propuesto",
    "active": (
        "current|ongoing|in force|existing|valid|yes|aktiv|bestehend|laufend|actif|active|en vigueur|activo|vigente"
        "|attivo"
    ),
    "suspended": "on hold|paused|frozen|inactive for now|ruhend|ruht|ausgesetzt|suspendu|suspendido|sospeso",
    "ended": "former|terminated|dissolved|cancelled|canceled|revoked|severed|expired|defunct|ehemalig|beendet|aufgelöst"
    "|terminé|ancien|finalizado|extinguido|terminato|解消",
    "unknown": "unclear|not known|unbekannt|inconnu|desconocido|不明",
}
EVENTS = {
    "proposed": "proposal|vorgeschlagen",
    "decided": "decision|approved|beschlossen|council decision",
    "signed": "signature|signing|established|founded|unterzeichnet|since|seit",
    "renewed": "renewal|reaffirmed|erneuert",
    "suspended": "suspension|ausgesetzt",
    "resumed": "resumption|revived|wiederaufgenommen",
    "ended": "end|terminated|dissolved|revoked|beendet",
    "rejected": "rejection|abgelehnt",
    "anniversary": "jubilee|Jubiläum",
    "note": "remark",
}
CITY_KINDS = {
    "city": "Stadt|ciudad|città|cidade|miasto|市|big city|million city",
    "town": "small town|Kleinstadt|bourg|町",
    "village": "Dorf|pueblo|villaggio|wieś|村|hamlet",
    "parish": "parroquia|freguesia|Pfarrei",
    "municipality": "Gemeinde|commune|municipio|comune|gemeente|gmina|kommun|kommune|local government|borough",
    "district": "Bezirk|Stadtbezirk|arrondissement|distrito|ward|区|city district",
    "county": "Landkreis|Kreis|condado|contea|powiat|郡",
    "region": "state|province|prefecture|Bundesland|département|provincia|estado|都|道|府|県|oblast|canton",
    "island": "Insel|île|isla|isola|島",
    "port": "harbour|Hafen|puerto|porto|港",
    "other": "miscellaneous",
}
ORGANISATION_KINDS = {
    "school": "primary school|secondary school|high school|Schule|école|lycée|collège|escuela|学校|高校",
    "university": "college|Universität|Hochschule|université|universidad|università|大学",
    "consulate": "consulate general|Konsulat|consulat|consulado|領事館",
    "tourism_office": "tourist office|tourist information|tourism board|Tourismusbüro|office de tourisme",
    "chamber": "chamber of commerce|Handelskammer|IHK|chambre de commerce|cámara de comercio|商工会議所",
    "association": (
        "society|club|committee|Verein|Partnerschaftsverein|comité de jumelage|association|asociación|協会|friends"
    ),
    "network": "alliance|league|Netzwerk|réseau|red",
    "other": "miscellaneous|company|museum",
}
CATEGORIES = {
    "education": "school exchange|student exchange|schools|Bildung|Schüleraustausch|éducation|educación|教育",
    "culture": "cultural|arts|music|Kultur|cultura|文化",
    "sport": "sports|Sport|deporte|スポーツ",
    "social_service": "social|welfare|health|Soziales|social services|humanitarian",
    "business": "economy|economic|trade|Wirtschaft|économie|economía|経済",
    "government": "administration|civic|official|Verwaltung|politics|行政",
    "youth": "young people|Jugend|Jugendaustausch|jeunesse|juventud|青少年",
    "tourism": "travel|Tourismus|tourisme|turismo|観光",
    "environment": "climate|ecology|Umwelt|environnement|medio ambiente|環境",
    "other": "miscellaneous|various",
}


TABLES = {
    "PARTNERSHIP_KINDS": PARTNERSHIP_KINDS, "WORDED_KINDS": WORDED_KINDS, "STATUSES": STATUSES, "EVENTS": EVENTS,
    "CITY_KINDS": CITY_KINDS, "ORGANISATION_KINDS": ORGANISATION_KINDS, "CATEGORIES": CATEGORIES,
}  # fmt: skip


@lru_cache(maxsize=4096)
def find(text: str, table: str) -> str | None:
    """The registry's own word for a spelling, by one of TABLES; None where the table has none."""
    return _folded(table).get(_key(text))


def own_words(table: str) -> str:
    """What may be written, for messages."""
    return ", ".join(TABLES[table])


@cache
def _folded(table: str) -> dict[str, str]:
    rows = reversed(TABLES[table].items())
    return {_key(spelling): own for own, spellings in rows for spelling in (own, *spellings.split("|"))}


def _key(text: str) -> str:
    return "".join(fold(text).split())
