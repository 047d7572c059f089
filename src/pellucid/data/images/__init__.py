"""Images from folders, zip archives, idx files, npz archives and arrays become a table with a column of images.

| file | what it does |
|---|---|
| `read` | the entry points `read_images` and `image_table` |
| `recognise` | whether a path holds images, and of which kind |
| `layout` | which folder is a class and which is a part |
| `from_files` | image files: their headers, what cannot be read, their pixels in memory or on disk, as tables |
| `decode` | from image files to pixels; the only file that uses Pillow |
| `cache` | decoded pixels on disk, where there are too many for memory |
| `as_table` | pixels, labels and file names as a table |
| `size` | the size and number of channels of all images |
| `array_files`, `idx` | pairs of idx files, npz archives |
| `arrays` | arrays in memory and their labels |
| `download` | MNIST and Fashion-MNIST, checked and resumable |

The column of images itself is in `pellucid.data.columns.images`, the stores of image files in
`pellucid.data.files.stores`.
"""
