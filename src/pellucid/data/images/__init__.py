"""Reading images: folders, zips, idx files, npz archives and arrays become a table with a column of images.

| file | what it does |
|---|---|
| `read` | the front door: `read_images`, `image_table` |
| `recognise` | is this path images, and of which kind? |
| `store` | files in a folder or in a zip, read without unpacking it |
| `layout` | which folder is a class, which is a part |
| `decode` | from a PNG or JPEG to pixels: the only file that knows Pillow |
| `size` | which size and how many channels all images get |
| `stored`, `idx` | pairs of idx files, npz archives |
| `arrays` | arrays in memory, their labels |
| `columns` | the column of images itself: its type, its pixels, its digests |
| `download` | MNIST and Fashion-MNIST, checked and resumable |
"""
