"""The one table of what columns are called. To have a header recognised, add its spelling here.

Left stands our own name of a column; right what else it is called, separated by `|`, the surest first: where a file
has two of them, the one further left is taken. Spellings are compared folded (`Année de jumelage` = `annee de
jumelage`), with words taken apart (`cityLabel` = `city label`, `lat1` = `lat 1`).

Columns about a city need no number here: `country` stands for `country1`, `Country 2`, `partner country`, `City B
country` and the rest, by way of SIDES and of where the column stands (`app/exchange/columns.py` has the rules).
"""

from __future__ import annotations

#: What a file of partnerships or programs says of each of its cities, as `city1`, `city2` …
OF_A_CITY = {
    "city": (
        "name|city name|town|town name|municipality|municipality name|community|place|place name|label|item label"
        "|cities|towns|local government|"
        "Stadt|Städte|Gemeinde|Ort|Kommune|Stadtname|ville|commune|nom|nom de la ville|ciudad|municipio|localidad"
        "|nombre"
        "|città|comune|cidade|gemeente|stad|plaats|miasto|gmina|stad|kommun|город|都市|都市名|市|市名|自治体|自治体名"
        "|団体名"
        "|城市|도시|도시명"
    ),
    "country": (
        "country name|nation|country label|country code|iso|iso code|iso 3166|iso 3166 1|iso2|iso3|alpha2|alpha3|Land"
        "|Staat|Länderkürzel|Länder|pays|país|nación|paese|stato|nazione|land|kraj|państwo|страна|国|国名|国家|나라"
        "|국가"
    ),
    "subdivision": (
        "state|province|prefecture|region|county|state code|state name|province name|region name|region label|district"
        "|iso 3166 2|subdivision code|admin1|Bundesland|Kanton|Provinz|Region|région|département|département nom"
        "|provincia|estado|comunidad autónoma|regione|estado|provincie|województwo|область|регион|都道府県|都道府県名"
        "|省|州"
    ),
    "lat": (
        "latitude|coord lat|coordinates lat|y|Breite|Breitengrad|geographische Breite|latitud|latitudine|breedtegraad"
        "|szerokość|широта|緯度|纬度"
    ),
    "lng": (
        "longitude|lon|long|coord lng|coord lon|coordinates lng|coordinates lon|x|Länge|Längengrad|geographische Länge"
        "|longitud|longitudine|lengtegraad|długość|долгота|経度|经度"
    ),
    "coordinates": (
        "coords|coord|coordinate|coordinate location|geo|geo point|point|wkt|Koordinaten|coordonnées|coordenadas|座標"
    ),
    "wikidata": "wikidata id|qid|q|wikidata item|item|entity|wd|city uri|uri|wikidata uri",
    "geonames": "geonames id|geo name id|geonameid|geoname id",
    "identifiers": "identifier|ids",
    "population": (
        "pop|inhabitants|people|population latest|Einwohner|Einwohnerzahl|Bevölkerung|habitants|población|habitantes"
        "|popolazione|abitanti|população|inwoners|ludność|население|人口|인구"
    ),
    "citykind": "city kind|city type|type of city|place type|municipality type|Gemeindeart",
    # Ours, not a number that the file has for itself: `id` and `city_id` of other people mean other cities here.
    "registry_id": "registry number|members city id",
}

#: Words beside a city's column that say which of the cities is meant. A number or a single letter does so too.
SIDES = {
    1: "1|a|one|first|home|own|our|local|from|eigene|heimat|propia",
    2: (
        "2|b|two|second|partner|partners|partnered|twin|twins|twinned|sister|sisters|other|foreign|friendship|friend"
        "|counterpart|to|Partnerschaft|Partner|jumelle|jumelée|jumelées|partenaire|partenaires|hermana|hermanada"
        "|hermano"
        "|hermanado|hermanamiento|socia|gemella|gemellata|gemellato|gémea|geminada|zuster|partnerska|partnerskie"
        "|побратим"
    ),
}

#: Whole headers that mean a column of the second city, where no word of SIDES stands by itself.
OF_THE_PARTNER = {
    "city2": (
        "sister city|partner|partner city|twin|twin town|twin city|twinned with|twinned with city|partnered with|sister"
        "|Partnerstadt|Partnerstädte|Partnergemeinde|Partnerkommune|Patenstadt|jumelage|jumelée avec|jumelages"
        "|hermanamiento|hermanada con|gemellaggio|gemellaggi|stedenband|zusterstad|vänort|vennskapsby|venskabsby"
        "|miasto partnerskie|город побратим|姉妹都市|姉妹都市名|姉妹友好都市|姉妹自治体|友好都市|友好都市名|提携都市"
        "|提携先"
        "|提携先都市|提携自治体|提携自治体名|相手都市|相手都市名|相手自治体名|友好城市|자매도시|자매도시명"
    ),
    "country2": (
        "Partnerland|Land der Partnerstadt|姉妹都市国|姉妹都市国名|相手国|相手国名|提携国|提携先国|提携先国名"
        "|자매도시 국가"
    ),
}

#: What a row of any noun may say of the document behind it.
SOURCED = {
    "source": (
        "source title|reference|references|cited from|Quelle|Quellen|Beleg|fuente|fonte|source label|источник|出典|출처"
        "|来源"
    ),
    "source_url": "source address|source link|reference url|url|link|website|web|Quelle url|homepage|ref url|URL",
    "source_key": "source key|source id",
    "locator": "page|pages|source page|source locator|Seite|página|頁|ページ",
}
_NOTE = (
    "notes|remark|remarks|comment|comments|Bemerkung|Bemerkungen|Anmerkung|Notiz|Hinweis|remarque|remarques"
    "|observations|nota|notas|observaciones|note|opmerking|uwagi|примечание|備考|備考欄|비고|备注"
)

PARTNERSHIPS = {
    "established": (
        "since|partner since|partnership since|twinned since|sister since|start date|start|start time|date established"
        "|established date|year established|established year|date of agreement|agreement date|agreement year"
        "|year of agreement|date of partnership|year of partnership|partnership year|partnership date|date of twinning"
        "|year of twinning|twinning year|twinning date|twinned|inception|begin|began|from|founded|date|year|years|seit"
        "|seit wann"
        "|Jahr|Gründung|Gründungsjahr|Gründungsdatum|Beginn|Datum|Partnerschaft seit|Jahr der Partnerschaft|Abschluss"
        "|depuis|année|année de jumelage|date de jumelage|année du jumelage|date|desde|año|fecha"
        "|año de hermanamiento|fecha de hermanamiento|dal|anno|data|desde|ano|sinds|jaar|rok|od|год|дата"
        "|提携年月日|提携日|提携年|締結年月日|締結日|締結年|調印日|提携時期|結好時間|年|체결일|자매결연일|缔结时间"
    ),
    "established_precision": "start precision|since precision|start time precision|date precision",
    "signed": (
        "signed on|date signed|signed date|signing date|date of signing|signature date|year signed|Unterzeichnung"
        "|unterzeichnet|Unterzeichnungsdatum|date de signature|signature|firma|fecha de firma|data firma"
    ),
    "proposed": "proposed on|date proposed|proposal date|vorgeschlagen",
    "decided": (
        "decided on|date decided|decision date|council decision|Beschluss|Ratsbeschluss|beschlossen|délibération"
    ),
    "renewed": "renewed on|date renewed|renewal date|renewal|erneuert|Erneuerung|renouvelé|renovado",
    "suspended": "suspended on|date suspended|suspension date|suspension|ausgesetzt|ruht seit|suspendu|suspendido",
    "resumed": "resumed on|date resumed|resumption date|wiederaufgenommen|repris",
    "ended": (
        "until|to|end|end date|end time|end year|date ended|ended on|terminated|termination date|dissolved|to year|bis"
        "|beendet|Ende|Enddatum|aufgelöst|fin|jusqu'en|date de fin|hasta|fecha de fin|fino al|終了|終了日|解消日"
    ),
    "ended_precision": "end precision|until precision|end time precision",
    "events": "history",
    "kind": (
        "partnership kind|kind of partnership|kind of relationship|kind of agreement|partnership type"
        "|relationship type|type of relationship|type of partnership|relation type|type"
        "|relationship|relation|agreement type|Art|Art der Partnerschaft|Partnerschaftsart|type de jumelage|tipo"
        "|tipo de hermanamiento|soort|rodzaj|種別|区分|類型|类型"
    ),
    "status": (
        "state of partnership|partnership status|current status|Zustand|statut|estado del hermanamiento|stato|状態|現況"
    ),
    "designation": "original wording|wording|designated as|Bezeichnung|désignation|denominación|名称",
    "title": "partnership title|partnership name|name of partnership|agreement title|Titel|titre|título",
    "note": _NOTE,
    **SOURCED,
}
PROGRAMS = {
    "name": (
        "program|programme|program name|programme name|exchange|exchange program|title|Programm|programme nom|Austausch"
    ),
    "category": "program category|field|area|type|kind|theme|topic|Bereich|Kategorie|catégorie|domaine|categoría",
    "partnership": "partnership id|partnership number",
    "since": "start|from|begin|start date|year|established|seit|depuis|desde",
    "until": "end|to|end date|ended|bis|jusqu'en|hasta",
    "frequency": "how often|interval|Turnus|fréquence|frecuencia",
    "description": "about|details|summary|text|note|notes|Beschreibung|descripción",
    "participants": "organisations|organizations|participating organisations|organisation ids",
    **SOURCED,
}
CITIES = {
    "name": OF_A_CITY["city"] + "|city|official name|city label",
    "country": OF_A_CITY["country"],
    "kind": "type|city kind|city type|place type|category|Art|tipo|種別",
    "subdivision": OF_A_CITY["subdivision"],
    "latitude": "lat|" + OF_A_CITY["lat"],
    "longitude": "lng|" + OF_A_CITY["lng"],
    "coordinates": OF_A_CITY["coordinates"],
    "part_of": "part of|part of id|parent|belongs to|Teil von|partie de",
    "existed_from": "existed from|existed since|founded|inception|founded in|gegründet",
    "existed_until": "existed until|dissolved|abolished|aufgelöst",
    "population": OF_A_CITY["population"],
    "population_year": "population year|population date|year of population|census year|pop year",
    "wikidata": OF_A_CITY["wikidata"],
    "geonames": OF_A_CITY["geonames"],
    "iso3166-2": "iso 3166 2 code",
    "unlocode": "un locode|locode|un/locode",
    "osm": "openstreetmap|osm id|openstreetmap id",
    "gnd": "gnd id",
    "viaf": "viaf id",
    "nuts": "nuts code|nuts id",
    "identifiers": OF_A_CITY["identifiers"],
    "names": (
        "other names|alternate names|alternative names|aliases|exonyms|weitere Namen|autres noms|otros nombres|別名"
    ),
    "registry_id": "registry number",
    "note": _NOTE,
    **SOURCED,
}
ORGANISATIONS = {
    "name": "organisation|organization|organisation name|organization name|school|university|institution|association"
    "|title|Organisation|Name|Einrichtung|Verein|nom|nombre|団体|団体名",
    "kind": "type|organisation type|organization type|category|Art|tipo|種別",
    "city": "seat|city name|town|place|location|Sitz|Stadt|Ort|ville|siège|ciudad|都市",
    "country": OF_A_CITY["country"],
    "subdivision": OF_A_CITY["subdivision"],
    "wikidata": "city wikidata|seat wikidata|city qid",
    "registry_id": "registry id of the city|registry number",
    "url": "website|homepage|web|link|address|web page|Webseite|site",
    "note": _NOTE,
    "source": SOURCED["source"],
    "source_url": "source address|source link|reference url",
    "source_key": SOURCED["source_key"],
    "locator": SOURCED["locator"],
}
SOURCES = {
    "key": "handle|source key|short key|Kürzel|code",
    "title": "source|source title|name|document|Titel|titre|título|標題",
    "author": "authors|written by|creator|Autor|Verfasser|auteur|autor",
    "publisher": "published by|Herausgeber|Verlag|éditeur|editorial|issuer",
    "url": "link|address|website|source url|web",
    "published": "date|year|publication date|published on|date published|Datum|Jahr|année|fecha",
    "note": _NOTE,
}

NOUNS = {
    "partnerships": PARTNERSHIPS,
    "programs": PROGRAMS,
    "cities": CITIES,
    "organisations": ORGANISATIONS,
    "sources": SOURCES,
}
#: Nouns that name several cities in a row.
OF_CITIES = ("partnerships", "programs")

#: A file is of a noun when it has a column of each of these groups. `city1` stands for any way to name that city.
NEEDED = {
    "partnerships": (("city1",), ("city2",)),
    "programs": (("name",), ("category",), ("partnership", "city2")),
    "cities": (("name", "wikidata", "geonames", "identifiers"),),
    "organisations": (("name",), ("kind",)),
    "sources": (("title",),),
}
#: Ways to name a city.
NAMING = ("city", "wikidata", "geonames", "identifiers", "registry_id")

#: Columns of our own answers that are worked out anew, so that leaving them out loses nothing.
COMPUTED = (
    "id|city id|organisation id|distance km|programs count|conflicts count|partnerships count|occasions count"
    "|revision|created at|updated at|established earliest|established latest|ended earliest|ended latest"
    "|published earliest|published latest|since earliest|since latest|until earliest|until latest"
    "|existed from earliest|existed from latest|existed until earliest|existed until latest|status 1|status 2"
    "|part of name|city count|cities count|members count|member id|member status|member joined|member left"
    "|member note|members id|members status|members joined|members left|members note|continent"
)

#: Words that a header may have or lack.
FILLERS = "of|the|de|der|des|del|della|du|la|le|el|il|do|da|no|van"
#: Words that only say that a city is meant: `member 1 country` and `country of city 1` are `country 1`.
CITY_WORDS = "city|cities|town|towns|member|members|place|places|municipality|stadt|ville|ciudad|item"
#: Languages whose names may stand in columns of their own: `name_de`, `city1@ja`, `label (fr)`.
LANGUAGES = (
    "af ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl he hi hr hu hy is it ja ka kk ko lb lt lv mk"
    " mn ms mt nb nl nn pl pt ro ru sk sl sq sr sv sw ta th tr uk ur uz vi zh zh-hans zh-hant"
)
