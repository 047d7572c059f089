"""A script's own modules are read beside it, and what is not there is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.script_reader import Examined, examine, read_source

NET = """import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.drop = nn.Dropout(0.5)
    def forward(self, x):
        return torch.softmax(self.fc(self.drop(x)), 1)
"""
USE = """
import torch
{imports}
model = {name}()
opt = torch.optim.Adam(model.parameters())
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
"""


def read(folder: Path, text: str, **files: str) -> Examined:
    for name, content in {"train": text, **files}.items():
        path = folder / (name.replace("__slash__", "/") + ".py")
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content, encoding="utf-8")
    return examine(read_source(folder / "train.py"))


@pytest.mark.parametrize(
    ("imports", "name", "file"),
    [
        ("from model import Net", "Net", "model"),
        ("from model import *", "Net", "model"),
        ("import model", "model.Net", "model"),
        ("import model as m", "m.Net", "model"),
        ("from .model import Net as N", "N", "model"),
        ("from . import model", "model.Net", "model"),
        ("from models.net import Net", "Net", "models__slash__net"),
        ("import models.net", "models.net.Net", "models__slash__net"),
        ("from models import net", "net.Net", "models__slash__net"),
        ("import a.b.c.net as n", "n.Net", "a__slash__b__slash__c__slash__net"),
    ],
)
def test_a_model_beside_the_script_is_read(tmp_path: Path, imports: str, name: str, file: str) -> None:
    found = read(tmp_path, USE.format(imports=imports, name=name), **{file: NET})
    (finding,) = found.findings
    assert (finding.rule, finding.line) == ("softmax-before-cross-entropy", 9)
    assert finding.file == file.replace("__slash__", "/") + ".py"
    assert finding.to_json()["file"] == finding.file
    assert f"{finding.file}, line 9: return torch.softmax" in finding.evidence
    assert "10: loss = torch.nn.functional.cross_entropy(model(x), y)" in finding.evidence
    assert found.followed.unread == ()
    assert found.followed.files == (finding.file,)


def test_packages_pass_on_what_their_init_imports(tmp_path: Path) -> None:
    inits = {
        "pkg__slash____init__": "from .nets import *\n",
        "pkg__slash__nets__slash____init__": "from ..base import Net\n",
    }
    found = read(tmp_path, USE.format(imports="from pkg import Net", name="Net"), pkg__slash__base=NET, **inits)
    assert [f.file for f in found.findings] == ["pkg/base.py"]


def test_a_module_that_names_the_scripts_own_package_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    found = read(folder, USE.format(imports="from src.model import Net", name="Net"), model=NET)
    assert [f.file for f in found.findings] == ["model.py"]


def test_a_mistake_in_using_it_stands_at_the_scripts_line(tmp_path: Path) -> None:
    use = USE.format(imports="from model import Net", name="Net")
    use += "    for x, y in test_loader:\n        print((model(x).argmax(1) == y).sum())\n"
    found = {f.rule: f for f in read(tmp_path, use, model=NET).findings}
    assert (found["eval-mode"].file, found["eval-mode"].line) == ("", 14)
    assert "model.py, line 7: self.drop = nn.Dropout(0.5)" in found["eval-mode"].evidence


def test_modules_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        USE.format(imports="from model import Net", name="Net"),
        model="import other, train\n" + NET,
        other="from model import Net\nimport other\n",
    )
    assert [(f.file, f.line) for f in found.findings] == [("model.py", 10)]
    assert found.followed.files == ("model.py", "other.py", "train.py") or found.followed.files[0] == "other.py"


def test_its_main_part_and_uncalled_functions_are_not_the_scripts(tmp_path: Path) -> None:
    extra = "def unused(m, test_loader):\n    m.eval()\n    for x in test_loader:\n        m(x)\n"
    extra += "if __name__ == '__main__':\n    nn.CrossEntropyLoss()(Net()(torch.zeros(3, 4)), torch.zeros(3).long())\n"
    plain = NET.replace("torch.softmax(self.fc(self.drop(x)), 1)", "self.fc(self.drop(x))")
    assert read(tmp_path, USE.format(imports="from model import Net", name="Net"), model=plain + extra).findings == ()


def test_what_is_not_here_is_named(tmp_path: Path) -> None:
    imports = "from net import Net\nimport helpers\nfrom utils.data import load, save\nimport numpy, os.path, sklearn"
    found = read(tmp_path, USE.format(imports=imports, name="Net"))
    assert found.findings == ()
    assert found.followed.unread == (
        "The model Net comes from net.py, which was not found, so it was not checked.",
        "helpers.py was not found, so its content was not checked.",
        "load and save come from utils/data.py, which was not found, so they were not checked.",
    )


def test_a_file_that_cannot_be_parsed_is_named(tmp_path: Path) -> None:
    found = read(tmp_path, USE.format(imports="from model import Net", name="Net"), model="for\n")
    (note,) = found.followed.notes
    assert note.startswith("model.py, line 1: not valid Python")
    assert "not checked" in note


def test_files_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(NET)
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "linked.py").symlink_to(tmp_path / "model.py")
    (folder / "away").symlink_to(tmp_path)
    (folder / "own.py").symlink_to(folder / "here.py")
    for imports in ("from linked import Net", "from ..model import Net", "from away.model import Net"):
        found = read(folder, USE.format(imports=imports, name="Net"))
        assert (found.findings, found.followed.files, len(found.followed.unread)) == ((), (), 1)
    assert read(folder, USE.format(imports="from own import Net", name="Net"), here=NET).followed.files == ("here.py",)


def test_number_and_size_are_bounded(tmp_path: Path) -> None:
    chain = {f"m{i}": f"from m{i + 1} import *\n" for i in range(60)}
    found = read(tmp_path, "import torch\nfrom m0 import *\n", **chain)
    assert len(found.followed.files) <= 40
    (note,) = found.followed.notes
    assert "not read: at most 40 files" in note
    assert found.followed.unread == ()
    found = read(tmp_path, "import torch\nimport big\n", big="#" * 500_000)
    assert found.followed.notes[0].startswith("big.py was not read: ")


def test_no_file_beside_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    read(tmp_path, "import torch\nimport evil\n", evil=f"open({str(mark)!r}, 'w').write('x')\n")
    assert not mark.exists()


def test_installed_packages_are_not_expected_beside(tmp_path: Path) -> None:
    imports = (
        "import pandas as pd\nfrom tqdm import tqdm\nimport json\nimport lightning as L\nfrom timm.models import x"
    )
    assert read(tmp_path, "import torch\n" + imports).followed.unread == ()
