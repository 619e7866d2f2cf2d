# SPDX-License-Identifier: MIT
"""The disk that both systems are measured with: ext2, with one file of known bytes in a folder.

Byte i of /folder/data is i * 31 % 251; the rest of the image is empty.
"""
import os
import subprocess

FILE_BYTES = 4 << 20
IMAGE = '64M'


def make(folder):
    """Make the image; its path."""
    tree, image = os.path.join(folder, 'tree'), os.path.join(folder, 'disk.img')
    os.makedirs(os.path.join(tree, 'folder'), exist_ok=True)
    period = bytes(i * 31 % 251 for i in range(251))
    with open(os.path.join(tree, 'folder', 'data'), 'wb') as file:
        file.write((period * (FILE_BYTES // 251 + 1))[:FILE_BYTES])
    if os.path.exists(image):
        os.unlink(image)
    subprocess.run(['mke2fs', '-q', '-t', 'ext2', '-b', '4096', '-d', tree, image, IMAGE], check=True,
                   stdout=subprocess.DEVNULL,
                   env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'})
    return image
