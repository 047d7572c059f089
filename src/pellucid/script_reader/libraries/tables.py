"""Tables: pandas, NumPy's readers and scikit-learn; where rows come from, are split, and have statistics taken."""

from __future__ import annotations

from collections.abc import Callable

from pellucid.script_reader.reading.reader import Reader
from pellucid.script_reader.record.events import Fitted, Split
from pellucid.script_reader.values.value import FOLD, ROLES, Arguments, Array, Const, Fit, Items, Object, Unknown, Value

__all__ = ["TABLE_FUNCTIONS", "estimator_method"]


def _read(reader: Reader, path: str, given: Arguments) -> Value:
    order = "time" if "parse_dates" in given.kwargs or ("index_col" in given.kwargs and _dated(given)) else "kept"
    text = path.startswith("numpy.") and "delimiter" not in given.kwargs  # perhaps one column, of one dimension
    return Array(ndim=None if text else 2, source=given.line, part="all", order=order)


def _dated(given: Arguments) -> bool:
    column = given.kwargs["index_col"]
    return isinstance(column, Const) and isinstance(column.value, str) and "date" in column.value.lower()


def _loaded(reader: Reader, path: str, given: Arguments) -> Value:
    if given.const(None, "return_X_y", False) is True:
        x, y = (Array(ndim=n, source=given.line, part="all", order="kept") for n in (2, 1))
        return Items(items=[x, y])
    return Object(kind=path, line=given.line, args=given.args, kwargs=given.kwargs)


def _generated(reader: Reader, path: str, given: Arguments) -> Value:
    wide = given.const(None, "n_targets", 1) != 1
    x = Array(ndim=2, source=given.line, part="all", order="random")
    return Items(items=[x, x.then(ndim=None if wide else 1)])


def _split(reader: Reader, path: str, given: Arguments) -> Value:
    kept = given.const(None, "shuffle", True) is False
    rows = tuple(v for v in given.args)
    how = "position" if kept else "random"
    reader.note(Split, given.line, rows=rows, how=how, call="train_test_split", first_line=given.line)
    parts: list[Value] = []
    for value in rows:
        for side in ("train", "test"):
            if isinstance(value, Array):
                parts.append(
                    value.then(part=side, order=None if kept else "random", taint=value.taint - ROLES, length=None)
                )
            else:
                parts.append(Unknown(taint=value.taint - ROLES))
    return Items(items=parts)


def _scaled(reader: Reader, path: str, given: Arguments) -> Value:
    """``scale(X)``, ``zscore(X)``: a statistic of the rows is taken and applied at once."""
    x = given.get(0, "X") or Unknown()
    fit = Fit(given.line, path.rpartition(".")[2])
    reader.note(Fitted, given.line, rows=x, fit=fit)
    return _transformed(Object(kind=path, line=given.line), x, fit if _may_be_all(x) else None)


_SCALING = ("scale", "minmax_scale", "maxabs_scale", "robust_scale", "quantile_transform", "power_transform")
_LOADERS = ("load_iris", "load_wine", "load_breast_cancer", "load_digits", "load_diabetes", "load_boston")
_FETCHERS = ("fetch_california_housing", "fetch_openml", "fetch_covtype", "fetch_olivetti_faces")
_MAKERS = ("make_regression", "make_classification", "make_moons", "make_circles", "make_blobs", "make_friedman1")

TABLE_FUNCTIONS: dict[str, Callable[[Reader, str, Arguments], Value]] = {
    **{f"pandas.{n}": _read for n in ("read_csv", "read_excel", "read_parquet", "read_table", "read_feather")},
    **{f"pandas.{n}": _read for n in ("read_json", "read_sql", "read_pickle", "read_hdf", "read_sql_query")},
    **{f"sklearn.preprocessing.{n}": _scaled for n in _SCALING},
    "scipy.stats.zscore": _scaled,
    "numpy.loadtxt": _read,
    "numpy.genfromtxt": _read,
    **{f"sklearn.datasets.{n}": _loaded for n in (*_LOADERS, *_FETCHERS)},
    **{f"sklearn.datasets.{n}": _generated for n in _MAKERS},
    "sklearn.model_selection.train_test_split": _split,
    "sklearn.cross_validation.train_test_split": _split,
}


# ── estimators ────────────────────────────────────────────────────────────────────────────────────────────────

_LEARNING = (
    "sklearn.preprocessing.", "sklearn.decomposition.", "sklearn.feature_selection.", "sklearn.impute.",
    "sklearn.compose.", "sklearn.pipeline.", "sklearn.feature_extraction.text.Tfidf", "sklearn.manifold.", "imblearn.",
    "category_encoders.", "sklearn.random_projection.", "sklearn.discriminant_analysis.",
)  # fmt: skip
# They learn nothing from rows, or only the list of categories.
_HARMLESS = {
    "Normalizer", "FunctionTransformer", "Binarizer", "PolynomialFeatures", "LabelEncoder", "LabelBinarizer",
    "OneHotEncoder", "OrdinalEncoder", "MultiLabelBinarizer", "SplineTransformer",
}  # fmt: skip
_SPLITTERS = (
    "KFold",
    "StratifiedKFold",
    "ShuffleSplit",
    "StratifiedShuffleSplit",
    "GroupKFold",
    "RepeatedKFold",
    "LeaveOneOut",
)


def _learns(owner: Object) -> str:
    """The name of a transformer that takes a statistic of rows, else an empty text."""
    name = owner.kind.rpartition(".")[2]
    return name if owner.kind.startswith(_LEARNING) and name not in _HARMLESS else ""


def estimator_method(reader: Reader, owner: Object, name: str, given: Arguments) -> Value | None:
    """What a method of scikit-learn gives; ``None`` where it is not one.

    Parameters
    ----------
    reader
        The reading so far, which also records the events.
    owner
        The object, of any library.
    name
        The method's name.
    given
        Its arguments.
    """
    library, _, kind = owner.kind.rpartition(".")
    if kind in _SPLITTERS and name == "split":
        rows = tuple(v for v in given.args[:1])
        reader.note(Split, given.line, rows=rows, how="folds", call=f"{kind}.split")
        index = Array(ndim=1, dtype="int64", order="random")
        inside = [index.then(taint=frozenset({role, FOLD})) for role in ("train", "val")]  # no fold is the test set
        return Items(items=[Items(items=list[Value](inside))], depth=len(reader.loops) + 1)
    if not library.startswith(("sklearn", "category_encoders", "imblearn")):
        return None
    x = given.get(0, "X")
    if name == "fit":
        _fit(reader, owner, x, given)
        return owner
    if name in ("fit_transform", "fit_resample"):
        fit = _fit(reader, owner, x, given)
        result = _transformed(owner, x, fit)
        return Items(items=[result, given.get(1) or Unknown()]) if name == "fit_resample" else result
    if name == "transform":
        return _transform(reader, owner, x, given)
    return None


def _fit(reader: Reader, owner: Object, x: Value | None, given: Arguments) -> Fit | None:
    name = _learns(owner)
    if not name or x is None:
        return None
    fit = Fit(given.line, name)
    reader.note(Fitted, given.line, rows=x, fit=fit)
    owner.attrs["fitted on"] = x
    owner.attrs["fitted at"] = Const(value=given.line)
    return fit if _may_be_all(x) else None


def _may_be_all(x: Value) -> bool:
    """Whether rows are all rows, for all that is known: not a part, and not named as one."""
    if isinstance(x, Array):
        return x.part == "all" or (x.part is None and not x.taint & ROLES)
    return isinstance(x, Unknown) and not x.taint & ROLES


def _transformed(owner: Object, x: Value | None, fit: Fit | None) -> Value:
    if fit is not None and isinstance(x, Unknown):
        return Array(taint=x.taint, source=fit.line, part="all", fitted=frozenset({fit}))
    if not isinstance(x, Array):
        return Unknown(taint=x.taint if x is not None else frozenset())
    one_column = owner.kind.endswith("LabelEncoder")
    kind = "int64" if one_column else None
    if x.ndim == 1 and not one_column:
        x = x.then(ndim=None)
    changed = x.then(
        last=None if not owner.kind.endswith(("Scaler", "Transformer")) else x.last, dtype=kind, activation=None
    )
    if fit is None:
        return changed
    return changed.then(fitted=x.fitted | {fit}, source=x.source or fit.line, part="all")


def _transform(reader: Reader, owner: Object, x: Value | None, given: Arguments) -> Value:
    rows, line = owner.attrs.get("fitted on"), owner.attrs.get("fitted at")
    fit = None
    same = isinstance(rows, Array) and isinstance(x, Array) and rows.part == "all" and 0 < rows.source == x.source
    same = same or (rows is not None and rows is x and _may_be_all(x))
    if same and isinstance(line, Const) and isinstance(line.value, int):
        fit = Fit(line.value, _learns(owner))
    result = _transformed(owner, x, fit)
    if fit is not None and isinstance(x, Array) and x.part in ("train", "test", "first", "second"):
        reader.note(Split, given.line, rows=(result,), how="transform", call="transform")
    return result
