package laketop.engine;

import io.delta.tables.DeltaTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;

/**
 * COPY INTO: files into a table, each once.
 *
 * <p>Which files were loaded is written into the commit that loads them, so that both are there or
 * neither is.
 */
final class CopyInto {
  private static final String TEXT = "'(?:[^'\\\\]|\\\\.|'')*'";
  private static final String LIST = "\\(((?:[^()']|" + TEXT + ")*)\\)";
  static final List<Statement> ALL = List.of(Statement.of(
      "COPY~INTO~<name>~FROM\\s*(?:(?<path>" + TEXT + ")|\\((?<select>SELECT~.*?~FROM\\s+"
          + "(?<inner>" + TEXT + ")[^()]*)\\))\\s*FILEFORMAT\\s*=\\s*(?<format>\\w+)(?<rest>.*)",
      CopyInto::run));

  private static final Pattern CLAUSE = Pattern.compile(
      "\\s*(?:(?<kind>FORMAT_OPTIONS|COPY_OPTIONS)\\s*" + LIST
          + "|FILES\\s*=\\s*\\((?<files>[^)]*)\\)|PATTERN\\s*=\\s*(?<pattern>" + TEXT + "))",
      Pattern.CASE_INSENSITIVE);
  private static final Pattern STRING = Pattern.compile("'((?:[^'\\\\]|\\\\.|'')*)'");
  private static final String MARK = "COPY INTO ";
  private static final String EXECUTION = "spark.sql.execution.id";

  private final SparkSession session;
  private final Matcher words;
  private final String table;
  private final Map<String, String> format = new HashMap<>();
  private final Map<String, String> copy = new HashMap<>();
  private final List<String> names = new ArrayList<>();
  /** What the SELECT reads the files by, for as long as the statement runs. */
  private final String view = "laketop_copy_" + UUID.randomUUID().toString().replace("-", "");
  private String pattern;

  private CopyInto(SparkSession session, Matcher words) {
    this.session = session;
    this.words = words;
    this.table = "`" + String.join("`.`", Names.full(session, words.group("name"))) + "`";
  }

  /** Runs as a statement of the user's own, whose privileges are checked as such. */
  private static Rows run(SparkSession session, Matcher words) {
    var context = session.sparkContext();
    String execution = context.getLocalProperty(EXECUTION);
    context.setLocalProperty(EXECUTION, null);
    try {
      return new CopyInto(session, words).load();
    } finally {
      context.setLocalProperty(EXECUTION, execution);
    }
  }

  private Rows load() {
    clauses(words.group("rest"));
    String path = unquoted(words.group("path") == null ? words.group("inner") : words.group("path"));
    Set<String> files = files(path);
    if (!"true".equalsIgnoreCase(copy.get("force"))) {
      files.removeAll(loaded());
    }
    long rows = 0;
    try {
      rows = files.isEmpty() ? 0 : append(files);
    } finally {
      session.catalog().dropTempView(view);
    }
    return new Rows("copied",
        new String[] {"num_affected_rows:L", "num_inserted_rows:L",
            "num_skipped_corrupt_files:L"},
        List.<Object[]>of(new Object[] {rows, rows, 0L}));
  }

  private void clauses(String rest) {
    Matcher clause = CLAUSE.matcher(rest);
    int end = 0;
    while (clause.find() && clause.start() == end) {
      end = clause.end();
      if (clause.group("kind") != null) {
        options(clause.group(2), clause.group("kind").startsWith("F")
            || clause.group("kind").startsWith("f") ? format : copy);
      } else if (clause.group("files") != null) {
        names.addAll(strings(clause.group("files")));
      } else {
        pattern = unquoted(clause.group("pattern"));
      }
    }
    if (!rest.substring(end).isBlank()) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "This part of COPY INTO is not supported: " + rest.substring(end).strip());
    }
  }

  private static void options(String list, Map<String, String> into) {
    List<String> words = strings(list);
    for (int i = 0; i + 1 < words.size(); i += 2) {
      into.put(words.get(i), words.get(i + 1));
    }
  }

  private static List<String> strings(String list) {
    List<String> found = new ArrayList<>();
    Matcher string = STRING.matcher(list);
    while (string.find()) {
      found.add(string.group(1));
    }
    return found;
  }

  private static String unquoted(String text) {
    return text.substring(1, text.length() - 1);
  }

  private Set<String> files(String path) {
    var reader = session.read().format("binaryFile").option("recursiveFileLookup", "true");
    if (pattern != null) {
      reader.option("pathGlobFilter", pattern.substring(pattern.lastIndexOf('/') + 1));
    }
    String base = path.replaceAll("/+$", "");
    String[] places = names.isEmpty()
        ? new String[] {path}
        : names.stream().map(name -> base + "/" + name).toArray(String[]::new);
    Set<String> files = new TreeSet<>();
    for (Row row : reader.load(places).select("path").collectAsList()) {
      files.add(row.getString(0));
    }
    return files;
  }

  private Set<String> loaded() {
    Set<String> loaded = new HashSet<>();
    List<Row> commits = DeltaTable.forName(session, table).history()
        .select("userMetadata").where("userMetadata LIKE '" + MARK + "%'").collectAsList();
    for (Row row : commits) {
      String[] files = JsonFiles.parse(row.getString(0).substring(MARK.length()), String[].class);
      loaded.addAll(Arrays.asList(files));
    }
    return loaded;
  }

  private long append(Set<String> files) {
    Dataset<Row> rows = session.read().format(words.group("format")).options(format)
        .load(files.toArray(String[]::new));
    if (words.group("select") != null) {
      rows = selected(rows);
    }
    Dataset<Row> fitting = fitting(rows);
    long count = fitting.count();
    fitting.write().mode("append").format("delta")
        .option("mergeSchema", copy.getOrDefault("mergeSchema", "false"))
        .option("userMetadata", MARK + JsonFiles.text(files))
        .saveAsTable(table);
    return count;
  }

  /** Puts the files where the SELECT has their path. */
  private Dataset<Row> selected(Dataset<Row> rows) {
    rows.createOrReplaceTempView(view);
    int at = words.start("inner") - words.start("select");
    int end = words.end("inner") - words.start("select");
    String select = words.group("select");
    return session.sql(select.substring(0, at) + view + select.substring(end));
  }

  /** Returns the columns that the table has, in its types; others where it may grow. */
  private Dataset<Row> fitting(Dataset<Row> rows) {
    StructField[] wanted = session.table(table).schema().fields();
    boolean headless = words.group("format").equalsIgnoreCase("csv")
        && words.group("select") == null
        && !"true".equalsIgnoreCase(format.get("header"));
    Dataset<Row> named = rows;
    if (headless && wanted.length == rows.columns().length) {
      named = rows.toDF(Arrays.stream(wanted).map(StructField::name).toArray(String[]::new));
    }
    List<Column> columns = new ArrayList<>();
    Set<String> rest = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    rest.addAll(List.of(named.columns()));
    for (StructField field : wanted) {
      if (rest.remove(field.name())) {
        columns.add(functions.col("`" + field.name() + "`").cast(field.dataType())
            .as(field.name()));
      }
    }
    if (columns.isEmpty() || "true".equalsIgnoreCase(copy.get("mergeSchema"))) {
      rest.forEach(name -> columns.add(functions.col("`" + name + "`")));
    }
    return named.select(columns.toArray(Column[]::new));
  }
}
