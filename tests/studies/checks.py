"""What every study must do, whatever it tells."""

from __future__ import annotations

from pellucid.studies.story import Paragraph, Story


def closing(story: Story) -> str:
    """The sentence that says what was learned; after it stands a command to try next, and nothing else."""
    learned, following = story.blocks[-2:]
    assert isinstance(learned, Paragraph)
    assert isinstance(following, Paragraph)
    assert (learned.role, following.role) == ("learned", "next")
    assert following.text.startswith("pellucid ")
    return learned.text


def said(story: Story) -> str:
    """Everything that the story tells, as Markdown."""
    return story.to_markdown()


def assert_labelled(story: Story, *names: str) -> None:
    """The story has these pictures, each with a caption, a title, and labels on every axis that is shown."""
    assert [picture.name for picture in story.pictures] == list(names)
    for picture in story.pictures:
        assert picture.caption
        for axis in picture.figure.axes:
            assert axis.get_title() or picture.figure.get_suptitle(), picture.name
            if axis.axison:
                assert axis.get_xlabel(), picture.name
                assert axis.get_ylabel(), picture.name
