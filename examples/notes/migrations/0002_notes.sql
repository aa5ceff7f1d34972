CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password TEXT NOT NULL -- salted and hashed, see src/password.ts
);

CREATE TABLE notes (
  id INTEGER PRIMARY KEY,
  user INTEGER NOT NULL REFERENCES users (id),
  text TEXT NOT NULL
);
CREATE INDEX notes_user ON notes (user);
