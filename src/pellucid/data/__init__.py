"""Tables and images: reading them, guessing what each column is, the target, the split, and the built-in sets.

In the order in which they build on one another:

| folder or file | what it does |
|---|---|
| `notes`, `origins` | notes for the user; what cells were in a frame, so that predicted classes have that type |
| `dates`, `numbers` | dates, times and numbers in text, in every style |
| `columns` | one column at a time: its type, what it holds, odd values in it |
| `sparse`, `frames` | tables in memory: pandas, polars, NumPy, dicts, sparse matrices |
| `files` | from a path to bytes: opened, unpacked within limits, their kind recognised |
| `text_files`, `workbooks`, `typed_files` | CSV and its kin; Excel, OpenDocument; Parquet, ORC, JSON, SQLite … |
| `tables` | from a path or a frame to a `Table`, with a report of what was recognised |
| `leaks`, `schema`, `target` | columns that give the target away; what each column is; what is predicted |
| `dependence` | rows that are not independent: copies, rows of one entity, rows in order of time |
| `splits` | training, validation and test rows |
| `images` | folders, zips, idx files and arrays of images become a table with a column of images |
| `headings`, `builtin` | headings that differ only in case or spaces; iris, wine, digits and other built-in sets |
| `given`, `apart` | what is given as data, told without reading it; ``train(X, y)`` as one table |
"""
