"""Writes docs/commands.md from the commands themselves; a test holds the two together.

python docs/make_commands.py
"""

from __future__ import annotations

from pathlib import Path

import click

from ritornello.cli import root

PAGE = Path(__file__).parent / "commands.md"


def page() -> str:
    """The page's text."""
    context = click.Context(root, info_name="ritornello")
    sections = ["# The commands\n\nMade from the code by `python docs/make_commands.py`.\n"]
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        assert command is not None
        sections.append(section(name, command))
    return "\n".join(sections)


def section(name: str, command: click.Command) -> str:
    """One command: its purpose, its examples, its options."""
    purpose, _, examples = (command.help or "").partition("\b")
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    names = [(a.metavar or str(a.name).upper(), a.required) for a in arguments]
    usage = " ".join(name if required else f"[{name}]" for name, required in names)
    lines = [f"## ritornello {name} {usage}", " ".join(purpose.split()), ""]
    lines += ["```", *(line.strip() for line in examples.strip().splitlines()), "```", ""]
    lines += ["| option | | default |", "|---|---|---|"]
    for option in command.params:
        if isinstance(option, click.Option):
            asked = "required" if option.required else ""
            default = f"`{option.default}`" if option.show_default else asked
            lines.append(f"| `{'`, `'.join(option.opts)}` | {option.help} | {default} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
