"""From moments of a recording to the files of a preview: cut, master, tag, caption, draw."""
