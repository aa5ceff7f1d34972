-- For `wrangler d1 migrations`: what D1Store.migrate() does.
CREATE TABLE IF NOT EXISTS "sessions" ("id" TEXT PRIMARY KEY, "version" TEXT NOT NULL, "expiry" INTEGER, "owner" TEXT, "body" TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "sessions_expiry" ON "sessions" ("expiry") WHERE "expiry" IS NOT NULL;
CREATE INDEX IF NOT EXISTS "sessions_owner" ON "sessions" ("owner") WHERE "owner" IS NOT NULL;
