package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.analysis.AnalysisContext$;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** The table function {@code read_files(path, format => 'json', ...)}, also of a stream. */
final class ReadFiles {
  private static final String NAME = "read_files";
  private static final String MODE = "schemaEvolutionMode";
  private static final Pattern ENDING =
      Pattern.compile(".*\\.(csv|json|parquet|orc|avro|txt)(?:\\.gz)?", Pattern.CASE_INSENSITIVE);
  private static final Set<String> MODES = Set.of("none", "rescue");

  private final SparkSession session;
  private final List<String> positional = new ArrayList<>();
  private final Map<String, String> named = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

  private ReadFiles(SparkSession session, UnresolvedTableValuedFunction call) {
    this.session = session;
    for (Expression argument : CollectionConverters.asJava(call.functionArgs())) {
      if (argument instanceof NamedArgumentExpression option) {
        named.put(option.key(), constant(option.value()));
      } else {
        positional.add(constant(argument));
      }
    }
  }

  static boolean is(UnresolvedTableValuedFunction call) {
    List<String> name = CollectionConverters.asJava(call.name());
    return name.size() == 1 && name.get(0).equalsIgnoreCase(NAME);
  }

  /** Returns the plan that reads the files; it is made in the middle of an analysis. */
  static LogicalPlan plan(SparkSession session, UnresolvedTableValuedFunction call) {
    ReadFiles files = new ReadFiles(session, call);
    return AnalysisContext$.MODULE$.withNewAnalysisContext(() ->
        ((org.apache.spark.sql.classic.Dataset<Row>) files.rows(call.isStreaming()))
            .logicalPlan());
  }

  private static String constant(Expression expression) {
    if (!expression.resolved() || !expression.foldable()) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "read_files takes constants, not " + expression + ".");
    }
    Object value = expression.eval(null);
    return value == null ? null : value.toString();
  }

  private Dataset<Row> rows(boolean stream) {
    if (named.containsKey("partitionColumns")) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "The option partitionColumns of read_files is not supported; give a schema instead.");
    }
    if (positional.isEmpty()) {
      throw Refusal.of("WRONG_NUM_ARGS", "read_files needs the path of files.");
    }
    String path = positional.get(0);
    String format = format(path);
    String schema = named.remove("schema");
    boolean inferred = schema == null;
    String rescued = rescued(inferred);
    if (rescued != null && RescuedFormat.of(format) != null) {
      named.put(RescuedFormat.OPTION, rescued);
    } else if (rescued != null && !inferred) {
      throw RescuedFormat.refusal(format);
    }
    if (!"false".equals(named.remove("inferColumnTypes")) && format.equals("csv")) {
      named.putIfAbsent("inferSchema", "true");
    }
    String hints = named.remove("schemaHints");
    if (inferred && hints != null) {
      schema = hinted(path, format, hints);
    }
    Dataset<Row> rows = read(path, format, schema, stream);
    return rescued == null || named.containsKey(RescuedFormat.OPTION)
        ? rows
        : rows.withColumn(rescued, functions.lit(null).cast("string"));
  }

  /** Returns the column for what does not fit: there is one of itself where nobody gave a schema. */
  private String rescued(boolean inferred) {
    String mode = named.remove(MODE);
    if (mode != null && !MODES.contains(mode.toLowerCase(Locale.ROOT))) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "The option schemaEvolutionMode => '" + mode
          + "' of read_files is not supported; use none or rescue, or a cloudFiles stream.");
    }
    String column = named.remove(RescuedFormat.OPTION);
    boolean always = mode == null ? inferred : mode.equalsIgnoreCase("rescue");
    return column == null && always ? AutoLoader.RESCUED : column;
  }

  /** Returns the columns with their hints; what does not fit one fails, rather than be lost. */
  private String hinted(String path, String format, String hints) {
    StructType found = session.read().format(format).options(named).load(path).schema();
    if (AutoLoader.TEXTS.contains(format) && !named.containsKey(RescuedFormat.OPTION)) {
      named.putIfAbsent("mode", "FAILFAST");
    }
    return SchemaHints.over(found, hints).toDDL();
  }

  private Dataset<Row> read(String path, String format, String schema, boolean stream) {
    if (!stream) {
      var reader = session.read().format(format).options(named);
      return (schema == null ? reader : reader.schema(schema)).load(path);
    }
    StructType type = schema == null
        ? session.read().format(format).options(named).load(path).schema()
        : StructType.fromDDL(schema);
    return session.readStream().format(format).options(named).schema(type).load(path);
  }

  private String format(String path) {
    String format = named.remove("format");
    if (format == null && positional.size() > 1) {
      format = positional.get(1);
    }
    Matcher ending = ENDING.matcher(path);
    if (format == null && ending.matches()) {
      format = ending.group(1);
    }
    if (format == null) {
      throw Refusal.of("CF_UNSUPPORTED_FORMAT",
          "read_files cannot tell the format of " + path + "; add format => 'json' or another.");
    }
    String name = format.toLowerCase(Locale.ROOT);
    if (name.equals("avro")) {
      throw Refusal.of("CF_UNSUPPORTED_FORMAT",
          "read_files cannot read avro here: the engine has no reader of Avro.");
    }
    return name.equals("txt") ? "text" : name;
  }
}
