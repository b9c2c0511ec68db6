package laketop.engine;

import java.nio.file.Path;
import java.util.Map;
import org.apache.spark.sql.classic.SparkSession;

/** Runs each kind of statement once in a hidden catalog, so that no user waits for Java. */
final class WarmUp {
  private static final String CATALOG = "_warm";
  private static final String TABLE = CATALOG + ".scratch.t";
  private static final String[] STATEMENTS = {
    "CREATE TABLE " + TABLE + " AS SELECT id, 'a' AS name FROM range(3)",
    "INSERT INTO " + TABLE + " VALUES (3, 'b')",
    "MERGE INTO " + TABLE + " t USING (SELECT 3L AS id, 'c' AS name) s ON t.id = s.id"
        + " WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
    "SELECT name, count(*) FROM " + TABLE + " GROUP BY name ORDER BY name",
    "DROP TABLE " + TABLE,
  };

  private WarmUp() {}

  static void run(SparkSession base, Runnable beforeEach) {
    Path folder = Lake.root().resolve(CATALOG);
    Folders.discard(folder);
    SparkSession session = base.newSession();
    try {
      JsonFiles.write(Lake.schemaFile(folder.resolve("scratch")), Map.of("owner", Users.ENGINE));
      session.conf().set("spark.sql.catalog." + CATALOG, EngineCatalog.class.getName());
      SparkSession.setActiveSession(session);
      for (String statement : STATEMENTS) {
        beforeEach.run();
        session.sql(statement).collectAsList();
      }
    } finally {
      SparkSession.clearActiveSession();
      Folders.discard(folder);
    }
  }
}
