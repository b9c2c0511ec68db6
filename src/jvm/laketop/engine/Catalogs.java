package laketop.engine;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.WeakHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.connector.catalog.CatalogManager;
import scala.collection.mutable.HashMap;
import scala.jdk.javaapi.CollectionConverters;

/** Makes every session know the catalogs that are there now: the folders below the root. */
final class Catalogs {
  private static final String KEY = "spark.sql.catalog.";
  private static final long MTIME_GRAIN_MS = 1000;
  private static final Map<SparkSession, Seen> SEEN =
      Collections.synchronizedMap(new WeakHashMap<>());

  private record Seen(long changedMs, Set<String> names, Pattern spellings) {}

  private Catalogs() {}

  static Set<String> names() {
    return Folders.list(Lake.root()).stream()
        .filter(Files::isDirectory)
        .map(path -> path.getFileName().toString())
        .filter(name -> !name.startsWith(".") && !name.startsWith("_"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** Returns the catalogs that a user may know of. */
  static Set<String> seen(String user) {
    Set<String> seen = names();
    JsonFiles.once(() -> seen.removeIf(name -> !Access.sees(user, "CATALOG", name)));
    return seen;
  }

  static Path existing(String name) {
    Path catalog = Lake.catalog(name);
    if (!Files.isDirectory(catalog)) {
      throw NameErrors.noCatalog(Names.key(name));
    }
    return catalog;
  }

  /** Is called before a text is parsed: catalogs may be new, gone, or written in other letters. */
  static void sync(SparkSession session, String text) {
    long changedMs = Lake.root().toFile().lastModified();
    Seen seen = SEEN.get(session);
    if (seen == null
        || seen.changedMs != changedMs
        || System.currentTimeMillis() - changedMs <= MTIME_GRAIN_MS) {
      seen = update(session, seen, changedMs);
    }
    Matcher spelling = seen.spellings.matcher(text);
    while (spelling.find()) {
      add(session, spelling.group());
    }
  }

  private static Seen update(SparkSession session, Seen old, long changedMs) {
    Set<String> names = names();
    names.forEach(name -> add(session, name));
    if (old != null) {
      Set<String> gone = new TreeSet<>(old.names);
      gone.removeAll(names);
      gone.forEach(name -> remove(session, name));
    }
    String any = names.stream().map(Pattern::quote).collect(Collectors.joining("|"));
    String expression = names.isEmpty() ? "(?!)" : "\\b(?:" + any + ")\\b";
    Pattern spellings = Pattern.compile(expression, Pattern.CASE_INSENSITIVE);
    Seen seen = new Seen(changedMs, names, spellings);
    SEEN.put(session, seen);
    return seen;
  }

  private static void add(SparkSession session, String name) {
    if (!session.sessionState().conf().contains(KEY + name)) {
      session.conf().set(KEY + name, EngineCatalog.class.getName());
    }
  }

  /** Spark never forgets a catalog by itself. */
  @SuppressWarnings("unchecked")
  private static void remove(SparkSession session, String name) {
    CatalogManager manager = session.sessionState().catalogManager();
    try {
      Field loaded = loaded(manager.getClass());
      loaded.setAccessible(true);
      HashMap<String, Object> catalogs = (HashMap<String, Object>) loaded.get(manager);
      for (String spelling : spellings(session, name)) {
        session.conf().unset(KEY + spelling);
        catalogs.remove(spelling);
      }
    } catch (ReflectiveOperationException e) {
      throw Lake.sneak(e);
    }
  }

  private static Set<String> spellings(SparkSession session, String name) {
    Set<String> out = new TreeSet<>();
    CollectionConverters.asJava(session.conf().getAll()).keySet().stream()
        .filter(key -> key.equalsIgnoreCase(KEY + name))
        .forEach(key -> out.add(key.substring(KEY.length())));
    return out;
  }

  private static Field loaded(Class<?> type) throws NoSuchFieldException {
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        boolean map = HashMap.class.isAssignableFrom(field.getType());
        if (map && field.getName().endsWith("catalogs")) {
          return field;
        }
      }
    }
    throw new NoSuchFieldException("CatalogManager.catalogs");
  }
}
