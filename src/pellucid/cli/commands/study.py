"""``pellucid study NAME``: run a study, print its text, keep its pictures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, assert_never

import typer
from typer.core import TyperGroup

from pellucid.cli.streams import say
from pellucid.studies.catalogue import CATALOGUE, WORDS, Setting, base_of, settings_of

if TYPE_CHECKING:
    from pellucid.studies.story import Block, Story

__all__ = ["StudyGroup", "study"]


class StudyGroup(TyperGroup):
    """Loads a study only when it is run; listing all of them is fast."""

    _asked: str | None = None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Remember which study is run: only its settings are needed."""
        self._asked = args[0] if args else None
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in learning order."""
        return list(CATALOGUE)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of one study."""
        if cmd_name not in CATALOGUE:
            from pellucid.errors import SettingError, nearest

            raise SettingError(f"there is no study {cmd_name!r}{nearest(cmd_name, CATALOGUE)}")
        function = _command(cmd_name) if cmd_name == self._asked else _stub
        app = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})
        app.command(name=cmd_name, help=CATALOGUE[cmd_name].title)(function)
        return typer.main.get_command(app)


study = typer.Typer(
    cls=StudyGroup,
    invoke_without_command=True,
    help="Run a study: gates, xor, circles, iris, mnist …; without a name, list all.",
)


@study.callback()
def _root(ctx: typer.Context) -> None:
    if ctx.invoked_subcommand is None:
        _list()


def _list() -> None:
    from rich.table import Table

    from pellucid.cli.console import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("study", "what it shows"):
        table.add_column(heading)
    for name, entry in CATALOGUE.items():
        table.add_row(name, entry.title)
    console.print(table)
    console.print(
        "\nStart with: pellucid study gates; settings of a study: pellucid study circles --help", soft_wrap=True
    )


def _stub() -> None:
    """Stands in the list for a study that is not loaded."""


def _command(name: str) -> Callable[..., None]:
    """A command with an option for each setting of the study, and those that all studies have."""

    def command(*, out: str | None, show: bool | None, json: bool, **given: Any) -> None:
        settings = {key: _parsed(key, value, kinds[key]) for key, value in given.items() if value is not None}
        _run(name, out=out, show=show, json=json, settings=settings)

    options = settings_of(name)
    kinds = {setting.name: setting.kind for setting in options}
    own = [
        ("out", str | None, typer.Option(help=f"The folder for text, figures and pictures; default: runs/{name}-<n>.")),
        (
            "show",
            bool | None,
            typer.Option("--show/--no-show", help="Open the pictures; default: if there is a display."),
        ),
        ("json", bool, typer.Option("--json", help="Print the figures as one JSON object and nothing else.")),
    ]
    parameters = [_option(setting) for setting in options]
    parameters += [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if kind is bool else None,
            annotation=Annotated[kind, option],
        )
        for key, kind, option in own
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _option(setting: Setting) -> inspect.Parameter:
    dashed = "--" + setting.name.replace("_", "-")
    base, _ = base_of(setting.kind)
    declared = [f"{dashed}/--no-{dashed[2:]}"] if base is bool else [dashed]
    default = setting.default
    if isinstance(default, tuple):
        default = ",".join(map(str, default))
    said = "" if default is None or isinstance(default, bool) else f" \\[default: {default}]"
    option = typer.Option(
        *declared,
        help=setting.help + said,
        show_default=False,
        metavar=None if base is bool else {int: "N", float: "X", tuple: "N,N"}.get(base, "TEXT"),
    )
    kind: Any = bool | None if base is bool else str | None
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )


def _parsed(name: str, value: Any, kind: Any) -> Any:
    from pellucid.errors import SettingError

    base, optional = base_of(kind)
    if base is bool or base is str:
        return value
    if optional and str(value).lower() == "none":
        return None
    try:
        if base is tuple:
            return tuple(int(part) for part in value.split(",") if part.strip())
        return base(value)
    except ValueError:
        raise SettingError(f"{name} must be {WORDS[base]}, got {value!r}") from None


def _run(name: str, *, out: str | None, show: bool | None, json: bool, settings: dict[str, Any]) -> None:
    from pellucid.cli.console import console
    from pellucid.plots.canvas import has_display
    from pellucid.studies import folder
    from pellucid.studies.catalogue import run
    from pellucid.studies.story import plain

    if out is not None:
        folder.check_free(out)
    story = run(name, listener=_quiet if json else tell, **settings)
    path = folder.keep(story, name, story.settings, out)
    if json:
        import json as json_

        say(json_.dumps({"study": name, "folder": str(path), "result": plain(story.result)}))
        return
    console.print(f"\nText, figures and pictures are in {path}", soft_wrap=True, markup=False)
    if show or (show is None and has_display()):
        _show(story, asked=bool(show))


def _quiet(block: Block) -> None:
    """Say nothing."""


def tell(block: Block) -> None:
    """Print a block of a story."""
    from rich.markup import escape
    from rich.table import Table as RichTable

    from pellucid.cli.console import console
    from pellucid.studies.story import Heading, Paragraph, Picture, Table

    match block:
        case Heading():
            console.print(f"\n[bold]{escape(block.text)}[/]\n")
        case Paragraph(role="learned"):
            console.print(f"\n[bold]What was learned.[/] {escape(block.text)}")
        case Paragraph(role="next"):
            console.print(f"Next: {escape(block.text)}", soft_wrap=True)
        case Paragraph():
            console.print(escape(block.text) + "\n")
        case Picture():
            console.print(f"[dim]picture {escape(block.name)}.png: {escape(block.caption)}[/]\n")
        case Table():
            table = RichTable(
                title=escape(block.title), title_justify="left", box=None, pad_edge=False, header_style="bold"
            )
            for heading, numeric in zip(block.headings, block.numeric, strict=True):
                table.add_column(escape(heading), justify="right" if numeric else "left", overflow="fold")
            for row in block.rows:
                table.add_row(*(escape(cell) for cell in row))
            console.print(table)
            console.print()
        case _:
            assert_never(block)


def _show(story: Story, *, asked: bool) -> None:
    from pellucid.plots.canvas import show

    if story.pictures and not show([picture.figure for picture in story.pictures]) and asked:
        say("note: no window could be opened here; the pictures are in the folder", error=True)
