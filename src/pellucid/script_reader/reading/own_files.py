"""The script's own modules: ``from model import Net`` reads ``model.py`` beside the script and never runs it.

Only files within the script's own folder are read, links out of it are not followed, and their number and size are
limited. Missing files are recorded, so that the doctor can say what it did not check.
"""

from __future__ import annotations

import ast
import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pellucid.errors import DataError
from pellucid.script_reader.record.script import Script
from pellucid.script_reader.source.parsing import parse_source
from pellucid.script_reader.source.text import Cell, Source, decoded
from pellucid.script_reader.values.value import Const, Module, Scope

__all__ = ["OwnFiles", "well_known"]

_MAX_FILES = 40
_MAX_FILE = 400_000
_MAX_TOTAL = 2_000_000
_MAX_PARTS = 12

# Installed packages: they are not expected beside the script and are not read. Python lists its own modules itself.
_INSTALLED = """
absl accelerate albumentations apex bitsandbytes bs4 cachetools catboost category_encoders cv2 cupy cython dask datasets
deepspeed detectron2 dgl diffusers dill einops evaluate faiss fairseq fastai filelock fire flask gensim google gradio
gym gymnasium h5py huggingface_hub hydra igraph ignite imageio imblearn imgaug IPython ipywidgets jax joblib kaggle
keras kornia librosa lightgbm lightning lightning_fabric lmdb matplotlib medmnist mlflow mmcv monai mpl_toolkits
multiprocess munch nltk networkx neptune ninja nibabel numba numpy ogb omegaconf onnx onnxruntime opacus optuna
pandas peft PIL plotly polars prettytable progressbar psutil pyarrow pydantic pydicom pylab pyro pytorch_lightning
pytorch_metric_learning pytz pywt rasterio ray rdkit regex requests rich sacrebleu safetensors scipy seaborn
sentence_transformers sentencepiece setproctitle setuptools shap simpletransformers simple_parsing six skimage sklearn
skorch skopt soundfile spacy stable_baselines3 statsmodels sympy tabulate tensorboard tensorboardX tensorboard_logger
tensorflow tensorflow_datasets termcolor test_tube thop tiktoken timm tokenizers toml torch torch_cluster
torch_geometric torch_optimizer torch_scatter torch_sparse torch_xla torchaudio torchdata torchdiffeq torcheval
torchinfo torchmetrics torchsde torchsummary torchtext torchtune torchvision torchviz torchnet tqdm transformers trl
typer typing_extensions ujson umap unidecode visdom wandb warmup_scheduler xarray xformers xgboost yacs yaml yfinance
attr attrs click colorama cuml dotenv easydict emoji ftfy gdown geopandas gluonts horovod imutils jieba jsonlines
learn2learn loguru mne mujoco_py natsort ncps nevergrad nni pathos pettingzoo pretrainedmodels prefetch_generator
pycocotools pyod pyprind scikitplot segmentation_models_pytorch tables tsai torchattacks torch_ema torch_pruning
torchgeo torchio torchscale tslearn ultralytics zarr kagglehub
"""
_LIBRARIES = frozenset(_INSTALLED.split())


def well_known(name: str) -> bool:
    """Whether a module belongs to Python or to a known installed package, rather than to the script's folder."""
    first = name.partition(".")[0]
    return first in _LIBRARIES or first in sys.stdlib_module_names


class OwnFiles:
    """The files that a script imports from its own folder, each read once."""

    def __init__(self, script: Script, folder: Path | None, read: Callable[[Sequence[ast.stmt], Scope], None]) -> None:
        self._script = script
        self._read_statements = read
        self._root = folder.resolve() if folder is not None else None
        self._scopes: dict[Path, Scope | None] = {}
        self._bytes = 0

    def find(self, name: str, level: int, home: Path | None) -> Path | None:
        """The file or package of a module, or None if it is not within the script's folder."""
        parts = [part for part in name.split(".") if part]
        if self._root is None or len(parts) > _MAX_PARTS:
            return None
        if level:
            base = home or self._root
            for _ in range(level - 1):
                base = base.parent
            return self._at(base, parts)
        starts = [(self._root, parts)]
        if len(parts) > 1 and parts[0] == self._root.name:
            starts.append((self._root, parts[1:]))
        if home is not None and home != self._root:
            starts.append((home, parts))
        return next((found for base, rest in starts if (found := self._at(base, rest)) is not None), None)

    def _at(self, base: Path, parts: list[str]) -> Path | None:
        place = base.joinpath(*parts)
        file = base.joinpath(*parts[:-1], parts[-1] + ".py") if parts else None
        package = place / "__init__.py"
        for found in (package, file, place):
            if found is not None and self._allowed(found, folder=found is place):
                return found
        return None

    def _allowed(self, path: Path, *, folder: bool) -> bool:
        try:
            real = path.resolve()
            mode = os.stat(real).st_mode  # noqa: PTH116
        except (OSError, ValueError, RuntimeError):
            return False
        assert self._root is not None
        inside = self._root in real.parents or (folder and real == self._root)
        return inside and (stat.S_ISDIR(mode) and not well_known(path.name) if folder else stat.S_ISREG(mode))

    def module(self, path: Path, name: str) -> Module | None:
        """The names of a file or package, after its statements were read; None if it cannot be read."""
        scope = self._loaded(path)
        return Module(path=name, scope=scope) if scope is not None else None

    def _loaded(self, path: Path) -> Scope | None:
        key = path.resolve()
        if key in self._scopes:
            return self._scopes[key]
        scope = Scope()
        scope.folder = path if path.is_dir() else path.parent
        scope.names["__name__"] = Const(value=path.stem)
        self._scopes[key] = scope
        if path.is_dir():
            return scope
        if not self._read(path, scope):
            self._scopes[key] = None
        return self._scopes[key]

    def _read(self, path: Path, scope: Scope) -> bool:
        assert self._root is not None
        script = self._script
        name = path.resolve().relative_to(self._root).as_posix()
        try:
            with path.open("rb") as stream:
                content = stream.read(_MAX_FILE + 1)
            self._bytes += len(content)
            if len(content) > _MAX_FILE or self._bytes > _MAX_TOTAL or len(self._scopes) > _MAX_FILES:
                script.skipped.append(name)
                return False
            source = Source(name=name, cells=(Cell(decoded(content, name)),))
            parsed = parse_source(source, len(script.lines) + 1, name)
        except OSError as error:
            script.notes.append(f"{name} could not be read ({error.strerror or error}), so it was not checked.")
            return False
        except DataError as error:
            script.notes.append(f"{str(error).partition(';')[0]}; so this file was not checked.")
            return False
        script.lines.extend(parsed.lines)
        script.tree.body.extend(parsed.body)
        script.sections.extend(parsed.sections)
        script.notes.extend(note for note in parsed.notes if note not in script.notes)
        script.files.append(name)
        self._read_statements(parsed.body, scope)
        return True
