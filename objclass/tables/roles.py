"""The role of a column by its name: measurement, identifier, position or result.

The names are those of objclass and of CellProfiler, ImageJ with MorphoLibJ and TrackMate, napari, QuPath,
Imaris, ilastik, clEsperanto, scanpy, squidpy and Seurat, of instruments for screening and spatial omics, and
of spreadsheets in German, French, Spanish and Swedish. They are compared in lower case as words:
``Location_CenterX [µm]`` is "location center x".
"""

from __future__ import annotations

import functools
import re
import unicodedata

EMBEDDINGS = ("UMAP", "t-SNE", "PC", "Isomap", "MDS")
"""Prefixes of the columns of an embedding; an underscore and the index of the component follow."""

_THINGS = (
    "object|obj|image|img|cell|nucleus|nuclei|nuc|track|tracklet|spot|particle|roi|mask|frame|slice|site"
    "|field|fov|well|plate|scan|tile|scene|series|stack|channel|section|region|sample|batch|row|col|column"
    "|position|pos|event"
)
_DESIGN = (
    "ch|(biological |technical |bio |tech )?(replicates?|rep)|biorep|techrep|cohort|passage|experiment|run"
    "|cell line|donor|patient|subject|animal|mouse|fish|embryo|slide|tissue|in tissue|condition|treatment"
    "|compound|drug|(log (10 )?)?(dose|conc|concentration)|library|screen|dataset|file|filename|path|folder"
    "|directory|url|name|set|collection|unit|counter|nb|nr|no|barcode|gene|sex|gender|genotype|strain"
    "|generation|lineage|root|parent|mother|ancestor|dummy|orig ident"
)
_TIME = (
    "t|time|times|date|day|hours?|minutes?|seconds?|weeks?|hpf|hpi|dpf|dpi|position t|nd [tzm]|timestep"
    "|timestamp|time ?(point|index|idx|step|stamp|course|s|sec|min|h|ms|hours|minutes|seconds)|date time"
    "|(edge|elapsed|acquisition|delta|track|image|spot) (time|start|stop)|plane|z ?(slice|plane|index|idx)"
)
_PARTS = f"{_THINGS}|cells|cyto|cytoplasm|membrane|spots"
_TRANSLATED = (
    r"(bild|zelle?|objekt|datei|ebene|kanal|proben?|maus|tier|cell|fil) ?(nummer|nr|name|namn|id)?"
    r"|(lfd )?(nummer|nr)|bedingung|behandlung|zeit(punkt)?|tag|datum|stunde|löpnummer|prov|djur|mus|tid|dag"
    r"|(cellule|noyau|objet|fichier|souris|imagen|célula|núcleo|objeto|archivo|muestra)( (nº|n|no|numéro))?"
    r"|échantillon|lame|temps|jour|heure|numéro|nom|nº|ratón|tiempo|día|fecha|hora|número|nombre"
)
_IDENTIFIER = (
    rf"index|unnamed( [\d ]+)?( level.*)?|level \d+|{_THINGS}|{_DESIGN}|{_TIME}",
    # Ids and names: ImageNumber, Object ID, Number_Object_Number, frame_idx
    rf"(.* )?({_THINGS}|{_DESIGN}|label|component|vertex|node|group)"
    r" ?(number(?! of)|no|nr|num|ids?|index|idx|name)( .*)?",
    r"(.* )?(ids?|uuid|guid|oid|identifier|barcode|idx)( \d+)?|(id|uuid) .*|(image|label|cell|track)id",
    r"(original |all )?labels?( image| \d+)?",
    rf"(.* )?(track objects|user|merger|parent|{_PARTS}) labels?( .*)?|labels? ({_PARTS})",
    r"(well|plate|array|image) ?(row|col|column)|(.* )?metadata .*",
    r"(.* )?(file ?name|path ?name|file ?path|url|md5 ?digest)( .*)?",
    r"(execution time|module error|processing status|diagnostics) .*",
    r"visibility|manual (\w+ )?colou?r|(min|max) ?thr",
    _TRANSLATED,
)
_SIZED = (
    r"(?!.*\b(area(?! shape)|volume|length|width|height|depth|diameter|radius|perimeter|ratio|count"
    r"|distances?|dist|near\w*)\b)"
)
_POSITION = (
    r"[xyz]|[xyz]m|[bc][xyz]|(.* )?c ?m ?[xyz]|(.* )?m c[xyz]|(ellipse |line |start |end )?[xyz] ?\d",
    r"[xyz] ?(min|max|mean|start|end|abs|loc|global|local|stage|coord|pos|position)",
    rf"[xyz] ({_PARTS}|slide|level)|com? m? ?[xyz]|(schwerpunkt|mittelpunkt|lage|centro|tyngdpunkt) [xyz]",
    r"[xyz] ?(cent?|center|centre|centroid)|cen ?[xyz]|axis \d|(x )?spatial \d|pxl .*|com \d|cog \d",
    rf"({_THINGS}|min|max|sum|mean|start|end|begin|stage|global|local|spatial|com|cog|cg|bb|origin?) ?[xyz]",
    r"(min|max) ?(row|col|column|r|c)|(row|col|column) ?(min|max)|(bbox |box )?(left|top|right|bottom)",
    r"(sum|mean) intensity times [xyz]|(.* )?[xyz] ?(min|max)",
    r"(.* )?(bbox|bounding box|box|coords?)( (min|max|minimum|maximum|arg max weight))? ?([xyz]|\d)",
    r"(.* )?(feret|bbox|box) ?(start|end)? ?[xyz]( ?(min|max))?",
    # A position and an axis: AreaShape_Center_X, Location_CenterMassIntensity_Z_DAPI, CenterX_global_px
    rf"{_SIZED}(.* )?(center|centre|cg|mass|obox|stage|origin|axis|trajectory|velocity|acceleration"
    r"|displacement|direction|extrema|p\d|vector|shift|offset|drift)( \d|( .*)? ([xyz]|[xyz]abs)( .*)?)",
    rf"{_SIZED}(.* )?(centroids?|locations?|positions?|coordinates?|coord)( .*)?",
    r"(.* )?(center|centre) of (the )?(object|skeleton|mass|geometry)( .*)?",
    r"(.* )?(object|region) center( \d)?",
    r"distance (to|from) (the )?(image )?(border|origin)( .*)?",
    # The orientation of an object, which is usually unrelated to its class
    r"(.* )?(orientation|angle|theta|phi|azim|azimuth|elev|elevation|roll|pitch|yaw|direction)( \d+)?",
    r"(.* )?(winkel|ángulo|vinkel)|(weighted )?region axes( \d)?",
    r"(.* )?inertia tensor \d ?\d|(.* )?eigenvectors?( .*)?|principal components of the object( \d)?",
)
_EMBEDDED = r"umap|densmap|t ?sne|fit ?sne|pca?|isomap|mds|phate|dc|diffmap|trimap|pacmap|ica|nmf|lda|svd|mde"
_CLUSTERED = r"leiden|louvain|pheno ?graph|k ?means|hdbscan|dbscan|gmm|flow ?som|mean ?shift"
_GIVEN = (
    "kind|class|classes|(cell ?)?(sub)?type|phenotype|group|annotations?|prediction|predicted|preds?"
    "|classification|category|state|truth|gt|true|outlier|gate|population|compartment"
    "|klasse|gruppe|classe|groupe|clase|grupo|klass|grupp|selected|selection|flags?|keep|excluded?|valid"
)
_NOT_COUNTED = r"(?!(.* )?(number|n|num|count|counts|share|fraction|density|distance|dist|nearest)\b)"
_RESULT = (
    rf"(.* )?({_EMBEDDED})( (dim|dimension|component|comp|coord|axis))?( ?\d+| [xyz])( .*)?",
    rf"(.* )?({_CLUSTERED}) ?\d*( .*)?|(.* )?pseudo ?time( .*)?",
    rf"{_NOT_COUNTED}(.* )?(meta)?clusters?( (ids?|labels?|name|number))?( [\d ]+| res .*)?",
    rf"{_NOT_COUNTED}(.* )?({_GIVEN})( (ids?|labels?|name|number|no|nr))?( \d+)?",
    r"group number|labels? (pred|predicted|true|gt)|(class|cluster) number|classify .*|predicted .*",
    r"(?!(intensity|mean|sum|texture|min|max|std)\b)"
    r"(.* )?(probability|probabilities|prob|posterior|confidence|certainty|uncertainty)( .*)?",
)
_UNIT = re.compile(
    r"(?<!num)(?<! of)(?<! in)( (µm|μm|um|microns?|nm|mm|px|pix|pixels?|units?|scaled|deg|rad))+[23]?$"
)
_JOINED = re.compile(r"(.+?)(_x|_y|_left|_right|\.\d+)")
"""What pandas appends where two tables that are joined, or a file, have columns of one name."""
_FOREIGN = re.compile(r"(?P<identifier>(.*_)?Parent_[A-Z]\w*)|(?P<result>X_\w+[-_]\d+)")


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    named = {"result": _RESULT, "identifier": _IDENTIFIER, "position": _POSITION}
    return {role: re.compile("|".join(f"(?:{part})" for part in parts)) for role, parts in named.items()}


@functools.lru_cache(maxsize=10_000)
def column_role(name: str) -> str:
    """Return "measurement", "identifier" (of object, time point, sample), "position" or "result".

    "position" includes the orientation. "result" is computed from measurements or assigned by hand: an
    embedding, a cluster, a class, a probability.

    Examples
    --------
    >>> [column_role(name) for name in ("area", "TRACK_ID", "AreaShape_Center_X", "leiden_0.5", "CLASS_x")]
    ['measurement', 'identifier', 'position', 'result', 'result']
    """
    if (foreign := _FOREIGN.fullmatch(name)) and foreign.lastgroup:
        return foreign.lastgroup
    words = words_of(name)
    if not words:
        return "identifier"
    matching = (role for role, pattern in _patterns().items() if pattern.fullmatch(words))
    role = next(matching, "measurement")
    joined = _JOINED.fullmatch(name) if role == "measurement" else None
    return column_role(joined[1]) if joined else role


def words_of(name: str) -> str:
    """Return the words of a column name in lower case, without a unit.

    Examples
    --------
    >>> words_of("Location_CenterX [µm]"), words_of("t-SNE_0"), words_of("UMAP1")
    ('location center x', 't sne 0', 'umap 1')
    """
    text = re.sub(r"[\[(][^\])]*[\])]|::.*", " ", unicodedata.normalize("NFC", name))
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_]{2})(?=\d)", " ", text)
    return _UNIT.sub("", " ".join(re.findall(r"[^\W_]+", text.lower())))
