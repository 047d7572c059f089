"""Tables and images: reading them, guessing what each column is, the target, the split, and the built-in sets.

| file | what it does |
|---|---|
| `tables` | from a path or a frame to a `Table`, with a report of what was recognised |
| `reading` | how a file is to be read: what the user said of it, or what a run remembers |
| `opened`, `packed`, `archive`, `standard_input` | the bytes of a table, out of whatever they are packed in |
| `encodings` | text in UTF-8; what is guessed is said |
| `sniff`, `delimited` | text tables: separator, header, quotes; ragged rows by line |
| `lines`, `layout`, `naming` | titles, comments, units and totals around a table; what its columns are called |
| `workbook`, `workbook_reader`, `workbook_size`, `compound`, `cells` | .xlsx, .xls and .ods |
| `database` | SQLite |
| `stored` | Parquet, Arrow, ORC, JSON |
| `frames`, `sparse`, `lists` | pandas, polars, NumPy, dicts; sparse matrices; lists of numbers in cells |
| `origins` | what the cells were in a frame, so that predicted classes have that type |
| `columns` | one column to one of five types; missing markers; numbers with a few odd cells |
| `decimal` | which sign is the decimal one: decided for the table, then for each column |
| `number_words`, `number_marks`, `number_units`, `number_table`, `number_columns` | numbers in text, in every style |
| `number_style` | how a column writes its numbers, kept for later tables |
| `clocks`, `sentinels` | times as seconds; −999 and its like, told |
| `dates`, `zones` | formats of dates; local times of a zone |
| `schema`, `leaks` | what each column is, and which give the target away |
| `target` | the task, the classes, the values |
| `duplicates` | which rows are equal |
| `splits` | training, validation and test rows |
| `images` | folders, zips, idx files and arrays of images become a table with a column of images |
| `builtin` | iris, wine, breast_cancer, diabetes, digits, circles, moons, spirals, xor, and, or |
"""
