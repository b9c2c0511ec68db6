package laketop.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.spark.SparkEnv;

/** Where everything lies below the folder that {@code spark.laketop.root} names. */
public final class Lake {
  /** The catalog that is there from the start. */
  static final String MAIN = "main";
  /** The catalog whose information_schema is about all catalogs. */
  static final String SYSTEM = "system";

  private static final String KEY = "spark.laketop.root";
  private static volatile Path root;

  private Lake() {}

  public static Path root() {
    if (root == null) {
      SparkEnv environment = SparkEnv.get();
      String set = environment == null ? null : environment.conf().get(KEY, null);
      root = Path.of(set == null ? System.getProperty(KEY) : set).toAbsolutePath().normalize();
    }
    return root;
  }

  static Path catalog(String name) {
    return root().resolve(Names.checked(name));
  }

  static Path schema(String catalog, String name) {
    return catalog(catalog).resolve(Names.checked(name));
  }

  /** Returns the JSON file of an entry: {@code kind} is views, functions, volumes, tags, ... */
  static Path entry(String kind, String[] name) {
    return schema(name[0], name[1]).resolve("_" + kind).resolve(Names.checked(name[2]) + ".json");
  }

  /** Returns the id by which the workspace tells of it all, or null where there was none yet. */
  static String metastore() {
    return JsonFiles.look(root().resolve("_metastore.json")).get("global_metastore_id");
  }

  /** Returns the folder of dbfs:/, which tasks see as /dbfs. */
  static Path dbfs() {
    return root().resolveSibling("dbfs");
  }

  static Path files(String[] volume) {
    return schema(volume[0], volume[1]).resolve("_files").resolve(Names.checked(volume[2]));
  }

  /** Returns a folder as Spark spells places: a URI whose letters stand for themselves. */
  public static String location(Path folder) {
    return "file://" + folder;
  }

  /** Makes {@code main.default}, {@code system} and {@code samples}, unless they are there. */
  static void prepare() {
    Moves.prepare();
    Renames.prepare();
    Path main = catalog(MAIN);
    for (Path file : new Path[] {catalogFile(main), schemaFile(main.resolve("default"))}) {
      prepare(file, Map.of("owner", Users.anyAdmin()));
    }
    prepare(catalogFile(catalog(SYSTEM)), Map.of("owner", Users.ENGINE));
    Samples.prepare();
  }

  static void prepare(Path file, Map<String, String> entry) {
    if (!Files.exists(file)) {
      JsonFiles.write(file, entry);
    }
  }

  /** Writes what the change makes of a file's entry, while nobody else changes one. */
  public static void change(Path file, Consumer<Map<String, String>> change) {
    alone(() -> {
      Map<String, String> entry = JsonFiles.read(file);
      change.accept(entry);
      JsonFiles.write(file, entry);
    });
  }

  /** Keeps out whoever else changes an entry: threads of the engine, and the workspace. */
  static synchronized void alone(Runnable change) {
    Path lock = root().resolve("_grants").resolve(".lock");
    try {
      Files.createDirectories(lock.getParent());
      try (FileChannel channel = FileChannel.open(
              lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock held = channel.lock()) {
        change.run();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path catalogFile(Path catalog) {
    return catalog.resolve("_catalog.json");
  }

  static Path schemaFile(Path schema) {
    return schema.resolve("_schema.json");
  }

  /** Throws a checked exception where Java's signatures, made for Scala, do not name it. */
  @SuppressWarnings("unchecked")
  public static <E extends Throwable> RuntimeException sneak(Throwable thrown) throws E {
    throw (E) thrown;
  }
}
