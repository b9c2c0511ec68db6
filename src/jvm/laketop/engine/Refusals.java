package laketop.engine;

import java.util.List;

/** Statements of Databricks that a laptop does not carry out, refused by name. */
final class Refusals {
  private static final String NEW = "CREATE~(?:OR~(?:REPLACE|REFRESH)~)?";
  static final List<Statement> ALL = List.of(
      Statement.refused(NEW + "(?:PRIVATE~)?(?:MATERIALIZED~VIEW|STREAMING~(?:LIVE~)?TABLE)\\b.*",
          "Materialized views and streaming tables are not supported;"
              + " create a view, or a table that a job refreshes."),
      Statement.refused("CREATE~EXTERNAL~VOLUME\\b.*",
          "External volumes are not supported; create a volume and copy the files into it."),
      Statement.refused("(?:CREATE|ALTER|DROP)~FOREIGN~CATALOG\\b.*",
          "Foreign catalogs are not supported; read the source with spark.read instead."),
      Statement.refused(NEW + "TABLE~.*\\bDEEP~CLONE\\b.*",
          "DEEP CLONE is not supported; use SHALLOW CLONE, or CREATE TABLE ... AS SELECT."),
      Statement.refused("COPY~INTO\\b.*",
          "COPY INTO is not supported; use INSERT INTO ... SELECT from the files."),
      Statement.refused("(?:CREATE|ALTER|DROP|SHOW|DESC|DESCRIBE)~(?:EXTERNAL~LOCATIONS?"
          + "|STORAGE~CREDENTIALS?|SHARES?|RECIPIENTS?|PROVIDERS?|CONNECTIONS?)\\b.*",
          "External locations, credentials, shares and connections are not supported."));

  private Refusals() {}
}
