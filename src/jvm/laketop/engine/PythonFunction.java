package laketop.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.api.python.PythonEvalType;
import org.apache.spark.api.python.SimplePythonFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.NamedArgumentExpression;
import org.apache.spark.sql.catalyst.expressions.NamedExpression$;
import org.apache.spark.sql.catalyst.expressions.PythonUDF;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A function of SQL whose body is Python, called as Spark calls one that a session registers.
 *
 * <p>Its body runs on the interpreter of the session that calls it. What the worker is sent is the
 * body's text, made a function there, so that it suits every version of Python.
 */
record PythonFunction(String name, CreateUserDefinedFunction head, String body) {
  /** The key of the body in a function's entry. */
  static final String BODY = "python";

  private static final Pattern QUOTE = Pattern.compile("\\$\\w*\\$");
  private static final Pattern HEAD = Pattern.compile(
      "CREATE\\s+(?:OR\\s+REPLACE\\s+)?FUNCTION\\b.*\\bLANGUAGE\\s+PYTHON\\b.*\\bAS",
      Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
  private static final Pattern WORDS =
      Pattern.compile("\\bLANGUAGE\\s+PYTHON\\b|\\bAS\\s*$", Pattern.CASE_INSENSITIVE);
  private static final Pattern REFUSED = Pattern.compile(
      "\\b(HANDLER|ENVIRONMENT|PARAMETER\\s+STYLE|RETURNS\\s+TABLE)\\b", Pattern.CASE_INSENSITIVE);
  private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_]\\w*");
  private static final Map<String, String> VERSIONS = new ConcurrentHashMap<>();

  /** The statement as one of SQL, whose body says nothing, and the text between the dollars. */
  record Written(String sql, String body) {}

  /** Returns the parts of a statement that makes such a function; null for another. */
  static Written written(String sql) {
    Matcher quote = QUOTE.matcher(sql);
    if (!quote.find()) {
      return null;
    }
    String head = Sql.bare(sql.substring(0, quote.start()));
    int end = sql.lastIndexOf(quote.group());
    if (!HEAD.matcher(head).matches() || end <= quote.start()
        || !Sql.bare(sql.substring(end + quote.group().length())).isEmpty()) {
      return null;
    }
    Matcher refused = REFUSED.matcher(Sql.blanked(head));
    if (refused.find()) {
      throw Refusal.of("UNSUPPORTED_FEATURE", "Python functions of SQL are scalar ones of plain"
          + " values: " + refused.group(1).toUpperCase(Locale.ROOT) + " is not supported.");
    }
    String rest = Sql.outsideQuotes(head, text -> WORDS.matcher(text).replaceAll(" "));
    return new Written(rest + " RETURN NULL", sql.substring(quote.end(), end));
  }

  /** Returns the function of this name, or null where it is none of Python. */
  static PythonFunction read(SparkSession session, String[] name) {
    if (!Functions.exists(name)) {
      return null;
    }
    Map<String, String> entry = JsonFiles.read(Lake.entry("functions", name));
    String body = entry.get(BODY);
    return body == null
        ? null
        : new PythonFunction(
            String.join(".", name), Functions.parsed(session, entry.get("sql")), body);
  }

  /** Requires what a call needs: a type to return, and names that Python takes. */
  void check(SparkSession session) {
    if (head.returnTypeText() == null || head.returnTypeText().isEmpty()) {
      throw Refusal.of("PARSE_SYNTAX_ERROR",
          "A Python function says what it RETURNS.");
    }
    for (StructField field : parameters(session).fields()) {
      if (!IDENTIFIER.matcher(field.name()).matches()) {
        throw Refusal.of("INVALID_NAME",
            "`" + field.name() + "` is no name of a parameter in Python.");
      }
    }
    code(session);
  }

  private StructType parameters(SparkSession session) {
    try {
      return head.inputParamText().isEmpty()
          ? new StructType()
          : session.sessionState().sqlParser().parseRoutineParam(head.inputParamText().get());
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }

  private DataType returns(SparkSession session) {
    try {
      return session.sessionState().sqlParser().parseDataType(head.returnTypeText());
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }

  /** Returns the call, whose arguments are yet to be resolved. */
  Expression call(SparkSession session, UnresolvedFunction call) {
    if (call.isDistinct() || call.filter().isDefined()) {
      throw Refusal.of("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
          "The function `" + name + "` takes neither DISTINCT nor FILTER.");
    }
    String python = python(session);
    SimplePythonFunction function = new SimplePythonFunction(code(session), new HashMap<>(), List.of(),
        python, VERSIONS.computeIfAbsent(python, PythonFunction::version), List.of(), null);
    List<Expression> arguments =
        arguments(session, CollectionConverters.asJava(call.arguments()));
    boolean deterministic =
        head.isDeterministic().isEmpty() || (boolean) (Object) head.isDeterministic().get();
    return new PythonUDF(name, function, returns(session),
        CollectionConverters.asScala(arguments).toList(), PythonEvalType.SQL_BATCHED_UDF(),
        deterministic, NamedExpression$.MODULE$.newExprId());
  }

  private List<Expression> arguments(SparkSession session, List<Expression> given) {
    Map<String, Expression> named = new HashMap<>();
    List<Expression> left = new ArrayList<>();
    for (Expression argument : given) {
      if (argument instanceof NamedArgumentExpression one) {
        named.put(Names.key(one.key()), one.value());
      } else {
        left.add(argument);
      }
    }
    List<Expression> arguments = new ArrayList<>();
    for (StructField field : parameters(session).fields()) {
      Expression value = left.isEmpty() ? named.remove(Names.key(field.name())) : left.remove(0);
      if (value == null) {
        value = otherwise(session, field);
      }
      boolean strict = session.sessionState().conf().ansiEnabled();
      arguments.add(Cast$.MODULE$.apply(value, field.dataType(), strict));
    }
    if (!left.isEmpty() || !named.isEmpty()) {
      throw wrong(session);
    }
    return arguments;
  }

  private Expression otherwise(SparkSession session, StructField field) {
    Option<String> text = field.getDefault();
    if (text.isEmpty()) {
      throw wrong(session);
    }
    try {
      return session.sessionState().sqlParser().parseExpression(text.get());
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
  }

  private RuntimeException wrong(SparkSession session) {
    return Refusal.of("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "The function `" + name + "` takes "
        + List.of(parameters(session).fieldNames()) + ", and not what it is called with.");
  }

  private static String python(SparkSession session) {
    String server = System.getenv().getOrDefault("PYSPARK_PYTHON", "python3");
    return session.conf().get("spark.sql.execution.pyspark.python", server);
  }

  /** Returns the version of an interpreter, which its workers compare with their own. */
  private static String version(String python) {
    try {
      Process process = new ProcessBuilder(
          python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
          .redirectErrorStream(true).start();
      process.getOutputStream().close();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Returns a pickle of the function and of its type, as pyspark makes one of a user's function. */
  private byte[] code(SparkSession session) {
    List<String> names = List.of(parameters(session).fieldNames());
    String type = returns(session).json();
    String text = "(lambda s: (exec(" + JsonFiles.text(MAKER) + ", s), s['made'])[1])(dict(name="
        + JsonFiles.text(name) + ", parameters=" + JsonFiles.text(names) + ", body="
        + JsonFiles.text(body) + ", returns=" + JsonFiles.text(type) + "))";
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x80, 2});
    called("builtins", "eval", text, out);
    called("pyspark.sql.types", "_parse_datatype_json_string", type, out);
    out.writeBytes(new byte[] {(byte) 0x86, '.'});
    return out.toByteArray();
  }

  private static void called(
      String module, String function, String argument, ByteArrayOutputStream out) {
    byte[] text = argument.getBytes(StandardCharsets.UTF_8);
    out.writeBytes(("c" + module + "\n" + function + "\nX").getBytes(StandardCharsets.UTF_8));
    out.writeBytes(ByteBuffer.allocate(Integer.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN).putInt(text.length).array());
    out.writeBytes(text);
    out.writeBytes(new byte[] {(byte) 0x85, 'R'});
  }

  /** Makes the function in a worker; a value of another type than it RETURNS is an error. */
  private static final String MAKER = """
      import ast, numbers
      tree = ast.parse(f"def made({', '.join(parameters)}): pass")
      try:
          lines = ast.parse(body).body
      except IndentationError:
          lines = ast.parse("if True:\\n" + body).body[0].body
      tree.body[0].body = lines or tree.body[0].body
      scope = {}
      exec(compile(tree, f"<function {name}>", "exec"), scope)
      inner = scope["made"]
      kinds = {
          **dict.fromkeys(('"byte"', '"short"', '"integer"', '"long"'), numbers.Integral),
          **dict.fromkeys(('"float"', '"double"'), numbers.Real),
          '"string"': str,
          '"boolean"': bool,
      }
      kind = kinds.get(returns)
      change = float if kind is numbers.Real else int if kind is numbers.Integral else None
      def made(*values):
          value = inner(*values)
          if value is None or kind is None:
              return value
          if not isinstance(value, kind):
              told = f"{name} returned {value!r}, which is no {returns[1:-1]}"
              raise TypeError(told)
          return change(value) if change else value
      """;
}
