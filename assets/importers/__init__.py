"""What people bring along from other systems: files read as drafts of what will be written.

Nothing here knows the database: `files` turns bytes into rows, `formats` turn one row into
drafts, `questions` says what the file itself leaves open.
"""
