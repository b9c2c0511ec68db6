package laketop.engine;

import java.util.List;

/** Statements of Databricks that a laptop does not carry out, refused by name. */
final class Refusals {
  private static final String NEW = "CREATE~(?:OR~(?:REPLACE|REFRESH)~)?";
  static final List<Statement> ALL = List.of(
      Statement.refused(NEW + "(?:PRIVATE~)?(?:MATERIALIZED~VIEW|STREAMING~(?:LIVE~)?TABLE)\\b.*",
          "Materialized views and streaming tables are not supported;"
              + " create a view, or a table that a job refreshes."),
      Statement.refused("(?:CREATE|ALTER|DROP)~FOREIGN~CATALOG\\b.*",
          "Foreign catalogs are not supported; read the source with spark.read instead."),
      Statement.refused("(?:CREATE~(?:OR~REPLACE~)?|REPLACE~|ALTER~)TABLE~.*"
          + "\\bCLUSTER~BY~AUTO\\b.*",
          "CLUSTER BY AUTO is not supported; name the columns, as in CLUSTER BY (day)."),
      // By this condition dbt-databricks goes on with the DESCRIBE of rows.
      Statement.refused("(?:DESC|DESCRIBE)~(?:TABLE~)?EXTENDED~<name>~AS~JSON",
          "DESCRIBE ... AS JSON is not supported; use DESCRIBE TABLE EXTENDED."),
      Statement.refused("(?:FSCK|MSCK)~REPAIR~TABLE\\b.*",
          "FSCK and MSCK REPAIR TABLE are not supported: a table of Delta knows its files by its log."),
      Statement.refused("(?:CREATE|DROP)~BLOOMFILTER~INDEX\\b.*",
          "Bloom filter indexes are not supported; use CLUSTER BY (column)."),
      Statement.refused("LIST~['\"].*",
          "LIST is not supported; use dbutils.fs.ls, or read the folder with binaryFile."),
      Statement.refused("SYNC~(?:SCHEMA|TABLE)\\b.*",
          "SYNC is not supported: there is no Hive metastore to take tables from."),
      Statement.refused(NEW + "VIEW~.*\\bWITH~METRICS\\b.*",
          "Metric views are not supported; create a view that computes the measures."),
      Statement.refused(NEW + "FUNCTION~.*\\bLANGUAGE~PYTHON\\b.*",
          "The body of a Python function stands between dollars: AS $$ ... $$."),
      Statement.refused(NEW + "PROCEDURE\\b.*",
          "Stored procedures are not supported; run the script itself, BEGIN ... END."),
      Statement.refused("(?:CREATE~(?:OR~REPLACE~)?|DROP~|SHOW~(?:EFFECTIVE~)?|DESC(?:RIBE)?~)"
          + "POLIC(?:Y|IES)\\b.*",
          "Policies by attributes are not supported; give each table its row filter and masks."),
      Statement.refused("ALTER~TABLE~<name>~(?:SET~MANAGED|UNSET~MANAGED)\\b.*",
          "ALTER TABLE ... SET MANAGED is not supported; create a managed table AS SELECT."),
      Statement.refused("CREATE~(?:SCHEMA|DATABASE)~(?:IF~NOT~EXISTS~)?<name>~(?:COMMENT~'[^']*'~)?"
          + "LOCATION\\b.*",
          "CREATE SCHEMA ... LOCATION is not supported: tables lie in the project's own state folder."),
      Statement.refused("(?:CREATE|ALTER|DROP|SHOW|DESC|DESCRIBE)~(?:EXTERNAL~LOCATIONS?"
          + "|STORAGE~CREDENTIALS?|SHARES?|RECIPIENTS?|PROVIDERS?|CONNECTIONS?)\\b.*",
          "External locations, credentials, shares and connections are not supported."));

  private Refusals() {}
}
