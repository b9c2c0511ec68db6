package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.Identifier;

/**
 * The catalog {@code samples} and {@code /databricks-datasets}: synthetic rows under the public
 * schemas, made when they are first used and the same everywhere.
 */
public final class Samples {
  static final String CATALOG = "samples";
  static final String FOLDER = "/databricks-datasets";

  private static final Map<String, String> TABLES = Map.of(
      "nyctaxi.trips", SampleQueries.TRIPS,
      "wanderbricks.bookings", SampleQueries.BOOKINGS);
  private static final Map<String, Dataset> FILES = Map.of(
      "nyctaxi-with-zipcodes/subsampled", new Dataset("delta", SampleQueries.TRIPS),
      "retail-org/sales_orders", new Dataset("json", SampleQueries.SALES_ORDERS));

  private record Dataset(String format, String query) {}

  private Samples() {}

  /** Makes the catalog and its empty schemas, unless they are there. */
  static void prepare() {
    Path catalog = Lake.catalog(CATALOG);
    Lake.prepare(Lake.catalogFile(catalog), Map.of(
        "owner", Users.ENGINE, "comment", "Synthetic rows under the schemas of public samples."));
    for (String table : TABLES.keySet()) {
      String schema = table.substring(0, table.indexOf('.'));
      Lake.prepare(Lake.schemaFile(catalog.resolve(schema)), Map.of("owner", Users.ENGINE));
    }
  }

  /** Returns the names of a schema's tables, made already or not. */
  public static TreeSet<String> names(String catalog, String schema) {
    TreeSet<String> names = new TreeSet<>();
    if (catalog.equals(CATALOG)) {
      String prefix = Names.key(schema) + ".";
      TABLES.keySet().stream()
          .filter(table -> table.startsWith(prefix))
          .forEach(table -> names.add(table.substring(prefix.length())));
    }
    return names;
  }

  /** Makes the rows of a table of the catalog, unless they are there. */
  public static void ensure(String catalog, Identifier id) {
    if (catalog.equals(CATALOG)) {
      String[] name = Access.object(catalog, id).split("\\.");
      String query = TABLES.get(name[1] + "." + name[2]);
      if (query != null) {
        make(Lake.schema(name[0], name[1]).resolve(name[2]), "delta", query);
      }
    }
  }

  static boolean holds(String path) {
    return path.equals(FOLDER) || path.startsWith(FOLDER + "/");
  }

  /** Returns where a path of /databricks-datasets lies, its rows made. */
  static Path place(String path) {
    Path root = Lake.root().resolve(".datasets");
    Path place = root.resolve(path.substring(FOLDER.length()).replaceAll("^/+|/+$", ""));
    FILES.forEach((name, files) -> {
      Path folder = root.resolve(name);
      if (place.startsWith(folder) || folder.startsWith(place)) {
        make(folder, files.format(), files.query());
      }
    });
    return place;
  }

  private static void make(Path place, String format, String query) {
    if (!Files.exists(place)) {
      makeOnce(place, format, query);
    }
  }

  private static synchronized void makeOnce(Path place, String format, String query) {
    if (Files.exists(place)) {
      return;
    }
    Path fresh = Lake.root().resolve(".trash").resolve(UUID.randomUUID().toString());
    SparkSession session = (SparkSession) Sessions.active().newSession();
    apart(() -> {
      session.sparkContext().setLocalProperty("spark.sql.execution.id", null);
      session.sql(query).coalesce(1).write().format(format).save(fresh.toUri().toString());
    });
    try {
      Files.createDirectories(place.getParent());
      Files.move(fresh, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs it in a thread of its own: whoever asks may be in the middle of an analysis. */
  private static void apart(Runnable body) {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread = new Thread(body, "laketop-samples");
    thread.setUncaughtExceptionHandler((which, thrown) -> failure.set(thrown));
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw Lake.sneak(e);
    }
    if (failure.get() != null) {
      throw Lake.sneak(failure.get());
    }
  }
}
