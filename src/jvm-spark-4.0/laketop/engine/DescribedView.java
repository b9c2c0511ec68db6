package laketop.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.connector.catalog.TableCatalog;
import org.apache.spark.sql.types.StructField;
import scala.Option;

/** What DESCRIBE tells of a view, which this version of Spark takes for a table. */
final class DescribedView {
  private static final String[] COLUMNS = {"col_name", "data_type", "comment"};

  private final List<Object[]> rows = new ArrayList<>();

  private DescribedView() {}

  static Rows rows(String[] name, LakeView view, boolean extended) {
    DescribedView told = new DescribedView();
    for (StructField field : view.schema().fields()) {
      String comment = field.getComment().isDefined() ? field.getComment().get() : null;
      told.rows.add(new Object[] {field.name(), field.dataType().simpleString(), comment});
    }
    if (extended) {
      told.details(name, view);
    }
    return new Rows("described", COLUMNS, told.rows);
  }

  /** Returns the properties that users gave the view, or the one that is asked for. */
  static Rows properties(LakeView view, Option<String> key) {
    Map<String, String> all = new TreeMap<>(view.properties());
    all.keySet().removeAll(List.of(TableCatalog.PROP_OWNER, TableCatalog.PROP_COMMENT));
    List<Object[]> rows = new ArrayList<>();
    if (key.isDefined()) {
      rows.add(new Object[] {key.get(), all.getOrDefault(key.get(),
          "View does not have property: " + key.get())});
    } else {
      all.forEach((name, value) -> rows.add(new Object[] {name, value}));
    }
    return new Rows("properties", new String[] {"key", "value"}, rows);
  }

  private void details(String[] name, LakeView view) {
    Map<String, String> properties = new HashMap<>(view.properties());
    add("", "");
    add("# Detailed View Information", "");
    add("Catalog", name[0]);
    add("Namespace", name[1]);
    add("Database", name[1]);
    add("View", name[2]);
    add("Type", "VIEW");
    add("Owner", properties.remove(TableCatalog.PROP_OWNER));
    add("Comment", properties.remove(TableCatalog.PROP_COMMENT));
    add("View Text", view.query());
    add("View Current Catalog", view.catalog());
    add("View Current Namespace", String.join(".", view.namespace()));
    add("View Schema Mode", view.mode());
    add("View Query Output Columns",
        Arrays.stream(view.columns()).collect(Collectors.joining(", ", "[", "]")));
    if (!properties.isEmpty()) {
      add("Properties", new TreeMap<>(properties).entrySet().stream()
          .map(Object::toString)
          .collect(Collectors.joining(",", "[", "]")));
    }
  }

  private void add(String label, String value) {
    if (value != null) {
      rows.add(new Object[] {label, value, ""});
    }
  }
}
