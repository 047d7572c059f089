"""Who takes part: each with its default settings, one thread, and the preprocessing that it needs and no more.

What a library takes as it is, it is given so: LightGBM, XGBoost, scikit-learn's gradient boosting and Pellucid read
pandas categories and missing numbers. CatBoost wants categories as text without missing cells. RealMLP and TabM read
categories, missing ones too, but no missing number: the median goes there. The linear model and scikit-learn's network
want numbers: median, one column a category, standard scaling, and for the network a scaled target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

__all__ = ["CONTESTANTS", "OURS", "Contestant", "available", "contestant"]

Frame = Any  # pandas is not needed to look at the list
_MOST_LEVELS = 255  # of a category in scikit-learn's gradient boosting


@dataclass(frozen=True)
class Contestant:
    """One of them: ``make(classes, seed)`` gives what has ``fit`` and ``predict`` or ``predict_proba``."""

    name: str
    needs: str  # the package
    make: Callable[[bool, int], Any]
    cost: int = 0  # 0 first, then 1, then 2: what takes long comes last

    @property
    def label(self) -> str:
        """What a reader is shown."""
        return f"ours ({self.name})" if self.needs == "pellucid" else self.name


@dataclass
class Prepared:
    """A model behind a function that learns from the training frame how frames are to be changed."""

    model: Any
    learn: Callable[[Frame], Callable[[Frame], Frame]]

    def fit(self, x: Frame, y: Any) -> Prepared:
        """Learn the change, then the model."""
        self.change = self.learn(x)
        self.model.fit(self.change(x), y)
        return self

    @property
    def classes_(self) -> Any:
        """The model's."""
        return self.model.classes_

    def predict(self, x: Frame) -> Any:
        """Of the changed frame."""
        return self.model.predict(self.change(x))

    def predict_proba(self, x: Frame) -> Any:
        """Of the changed frame."""
        return self.model.predict_proba(self.change(x))


def medians(x: Frame) -> Callable[[Frame], Frame]:
    """Missing numbers become the median of the training rows.

    >>> import pandas as pd
    >>> fill = medians(pd.DataFrame({"a": [1.0, 3.0, 5.0], "b": ["x", "y", "x"]}))
    >>> fill(pd.DataFrame({"a": [float("nan"), 2.0], "b": ["y", None]}))["a"].tolist()
    [3.0, 2.0]
    """
    found = x.select_dtypes("number").median().fillna(0.0)
    return lambda frame: frame.fillna(found)


def texts(x: Frame) -> Callable[[Frame], Frame]:
    """Categories as text, missing ones as a category of their own."""
    names = list(x.select_dtypes("category"))

    def change(frame: Frame) -> Frame:
        return frame.assign(**{name: frame[name].astype(object).fillna("(missing)").astype(str) for name in names})

    return change


def few_levels(x: Frame) -> Callable[[Frame], Frame]:
    """Categories with more levels than scikit-learn's gradient boosting takes become their number."""
    many = [name for name in x.select_dtypes("category") if len(x[name].cat.categories) > _MOST_LEVELS]

    def change(frame: Frame) -> Frame:
        return frame.assign(**{name: frame[name].cat.codes.where(frame[name].notna()).astype(float) for name in many})

    return change


def numbers(model: Any) -> Any:
    """Median, one-hot and standard scaling before a model of scikit-learn."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    filled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    return make_pipeline(
        make_column_transformer(
            (filled, make_column_selector(dtype_include="number")),
            (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_include="category")),
        ),
        model,
    )


def dummy(classes: bool, seed: int) -> Any:
    """The share of each class, or the mean."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    return DummyClassifier(strategy="prior", random_state=seed) if classes else DummyRegressor()


def linear(classes: bool, seed: int) -> Any:
    """Logistic or ridge regression; the usual 100 iterations often do not suffice."""
    from sklearn.linear_model import LogisticRegression, Ridge

    return numbers(LogisticRegression(max_iter=1000) if classes else Ridge(random_state=seed))


def random_forest(classes: bool, seed: int) -> Any:
    """It takes missing numbers; categories by their number."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    coded = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return make_pipeline(
        make_column_transformer((coded, make_column_selector(dtype_include="category")), remainder="passthrough"),
        (RandomForestClassifier if classes else RandomForestRegressor)(random_state=seed, n_jobs=1),
    )


def hist_gradient_boosting(classes: bool, seed: int) -> Any:
    """scikit-learn's, with native categories of up to 255 levels."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return Prepared(kind(categorical_features="from_dtype", random_state=seed), few_levels)


def sklearn_mlp(classes: bool, seed: int) -> Any:
    """scikit-learn's network, its target scaled, without which it is lost where numbers are large."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if classes:
        return numbers(MLPClassifier(random_state=seed))
    return TransformedTargetRegressor(numbers(MLPRegressor(random_state=seed)), transformer=StandardScaler())


def light_gbm(classes: bool, seed: int) -> Any:
    """Native categories and missing numbers."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    return (LGBMClassifier if classes else LGBMRegressor)(random_state=seed, n_jobs=1, verbose=-1)


def xgboost(classes: bool, seed: int) -> Any:
    """Native categories and missing numbers."""
    from xgboost import XGBClassifier, XGBRegressor

    return (XGBClassifier if classes else XGBRegressor)(enable_categorical=True, random_state=seed, n_jobs=1)


class _Cat:
    """CatBoost, told which columns are categories."""

    def __init__(self, kind: Any, seed: int) -> None:
        self.model = kind(random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False)

    def fit(self, x: Frame, y: Any) -> _Cat:
        names = list(x.select_dtypes("category"))
        self.change = texts(x)
        self.model.fit(self.change(x), y, cat_features=names)
        return self

    @property
    def classes_(self) -> Any:
        return self.model.classes_

    def predict(self, x: Frame) -> Any:
        return self.model.predict(self.change(x))

    def predict_proba(self, x: Frame) -> Any:
        return self.model.predict_proba(self.change(x))


def cat_boost(classes: bool, seed: int) -> Any:
    """Native categories, as text, and missing numbers."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    return _Cat(CatBoostClassifier if classes else CatBoostRegressor, seed)


def real_mlp(classes: bool, seed: int) -> Any:
    """RealMLP-TD (Holzmüller et al. 2024)."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if classes else RealMLP_TD_Regressor
    return Prepared(kind(random_state=seed, device="cpu", n_threads=1), medians)


def tab_m(classes: bool, seed: int) -> Any:
    """TabM-D (Gorishniy et al. 2025)."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    kind = TabM_D_Classifier if classes else TabM_D_Regressor
    return Prepared(kind(random_state=seed, device="cpu", n_threads=1), medians)


def ours(classes: bool, seed: int, *, preset: str) -> Any:
    """Pellucid's estimators take the frame as it is."""
    import pellucid

    return (pellucid.NeuralClassifier if classes else pellucid.NeuralRegressor)(preset=preset, random_state=seed)


OURS = ("quick", "best")
CONTESTANTS = (
    Contestant("quick", "pellucid", partial(ours, preset="quick")),
    Contestant("best", "pellucid", partial(ours, preset="best")),
    Contestant("dummy", "scikit-learn", dummy),
    Contestant("linear", "scikit-learn", linear),
    Contestant("random forest", "scikit-learn", random_forest),
    Contestant("hist gradient boosting", "scikit-learn", hist_gradient_boosting),
    Contestant("LightGBM", "lightgbm", light_gbm),
    Contestant("XGBoost", "xgboost", xgboost),
    Contestant("CatBoost", "catboost", cat_boost),
    Contestant("scikit-learn MLP", "scikit-learn", sklearn_mlp),
    Contestant("RealMLP-TD", "pytabkit", real_mlp, cost=1),
    Contestant("TabM-D", "pytabkit", tab_m, cost=2),
)


def contestant(name: str) -> Contestant:
    """By its name.

    >>> contestant("XGBoost").needs
    'xgboost'
    """
    return next(who for who in CONTESTANTS if who.name == name)


def available(who: Contestant) -> bool:
    """Whether its package is there."""
    return find_spec({"scikit-learn": "sklearn"}.get(who.needs, who.needs)) is not None
