"""Series as they come: files of them, tables whose columns or rows are their steps, arrays.

| file | what it reads |
|---|---|
| `recognise` | whether a path holds series: ``.ts`` files, UCR files, a folder with a training and a test file |
| `read` | such a path, to tables for training and testing |
| `ucr` | a text file with one series a line, its class first |
| `ts` | a ``.ts`` file: several channels, series of unequal length |
| `wide` | a table with one series a row: its number columns are the steps |
| `long` | a table with one step a row: a column says which series, another the time |
| `arrays` | NumPy arrays ``[N, T]`` and ``[N, T, C]`` |

`parsed` holds what the files have in common, `spacing` finds steps that lack or repeat in time, and `as_table` makes
the table: a column ``series`` (see `pellucid.data.columns.series`) and, where it is known, a column ``label``.
"""
