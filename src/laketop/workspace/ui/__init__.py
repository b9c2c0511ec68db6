"""The page at the workspace's address: a person looks, nothing is changed.

One file of `pages/` is one page or a few that belong together. `html` escapes, `elements` has what
pages are made of, `graph` and `charts` draw, `sessions` knows who is signed in, `face` answers.
"""
