package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.catalyst.plans.logical.CreateUserDefinedFunction;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.types.StructField;
import scala.Option;

/** What information_schema tells of one SQL function. */
record Routine(
    CreateUserDefinedFunction function, String owner, String python, SparkSession session) {
  static Routine read(SparkSession session, String[] name) {
    Map<String, String> entry = JsonFiles.read(Lake.entry("functions", name));
    return new Routine(Functions.parsed(session, entry.get("sql")), entry.get("owner"),
        entry.get(PythonFunction.BODY), session);
  }

  /** Returns routine_owner up to comment. */
  Object[] row() {
    boolean table = function.isTableFunc();
    String returns = function.returnTypeText();
    String full = table ? "TABLE_TYPE" : returns == null ? null : returns.toLowerCase(Locale.ROOT);
    return new Object[] {
        owner, "FUNCTION", full == null ? null : full.toUpperCase(Locale.ROOT), full,
        python == null ? "SQL" : "EXTERNAL", body(), python == null ? null : "PYTHON", "DEFINER",
        text(function.comment())};
  }

  private String body() {
    String expression = python == null ? text(function.exprText()) : python.strip();
    return expression == null ? text(function.queryText()) : expression;
  }

  /** Returns the lines that DESCRIBE FUNCTION shows. */
  List<Object[]> described(String name, boolean extended) {
    List<Object[]> lines = new ArrayList<>();
    line(lines, "Function:", name);
    line(lines, "Type:", function.isTableFunc() ? "TABLE" : "SCALAR");
    String label = "Input:";
    for (Object[] parameter : parameters()) {
      String otherwise = parameter[5] == null ? "" : " DEFAULT " + parameter[5];
      line(lines, label, parameter[2] + " " + parameter[3] + otherwise);
      label = "";
    }
    line(lines, "Returns:", function.returnTypeText());
    if (extended) {
      line(lines, "Comment:", text(function.comment()));
      line(lines, "Owner:", owner);
      line(lines, "Language:", python == null ? null : "PYTHON");
      line(lines, "Body:", body());
    }
    return lines;
  }

  private static void line(List<Object[]> lines, String label, String value) {
    if (value != null) {
      lines.add(new Object[] {String.format("%-15s%s", label, value)});
    }
  }

  List<Object[]> parameters() {
    List<Object[]> rows = new ArrayList<>();
    String written = text(function.inputParamText());
    if (written == null) {
      return rows;
    }
    try {
      for (StructField field : session.sessionState().sqlParser()
          .parseRoutineParam(written).fields()) {
        String type = field.dataType().sql();
        String otherwise = text(field.getDefault());
        rows.add(new Object[] {rows.size() + 1, "IN", field.name(), type,
            type.toLowerCase(Locale.ROOT), otherwise, text(field.getComment())});
      }
    } catch (Exception e) {
      throw Lake.sneak(e);
    }
    return rows;
  }

  private static String text(Option<String> option) {
    return option.isDefined() ? option.get() : null;
  }
}
