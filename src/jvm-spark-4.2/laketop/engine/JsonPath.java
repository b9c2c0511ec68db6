package laketop.engine;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.Serializable;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.QueryContext;
import org.apache.spark.SparkRuntimeException;
import org.apache.spark.unsafe.types.UTF8String;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A path into the text of a JSON value like {@code $.a['b c'][0]}; Spark calls it for every row.
 *
 * <p>A name matches whatever its case, one in brackets exactly. Source: "JSON path expression" in
 * the SQL language reference of Databricks.
 */
public record JsonPath(List<JsonPath.Step> steps) implements Serializable {
  /** The index that stands for every element: no array has as many. */
  static final long EACH = Long.MAX_VALUE;

  private static final Pattern STEP = Pattern.compile(
      "\\.?`((?:[^`]|``)+)`|\\.?([^.\\[`]+)|\\['([^']+)'\\]|\\[\"([^\"]+)\"\\]|\\[(\\d+)\\]");
  private static final JsonFactory FACTORY = JsonFactory.builder()
      .streamReadConstraints(StreamReadConstraints.builder()
          .maxStringLength(Integer.MAX_VALUE).maxNumberLength(Integer.MAX_VALUE).build())
      .build();

  /** The field of this name, or, where there is none, the element at this index. */
  record Step(String field, boolean exact, long index) implements Serializable {
    private boolean names(String name) {
      return exact ? name.equals(field) : name.equalsIgnoreCase(field);
    }

    private boolean each() {
      return field == null && index == EACH;
    }
  }

  /** Reads a path as Spark's parser hands it on: {@code $} and the steps. */
  static JsonPath of(String written) {
    List<Step> steps = new ArrayList<>();
    Matcher found = STEP.matcher(written).region(1, written.length());
    while (found.lookingAt()) {
      steps.add(step(found));
      found.region(found.end(), written.length());
    }
    if (found.regionStart() < written.length()) {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "The path " + shown(written) + " of the operator `:` is not supported here.");
    }
    return new JsonPath(List.copyOf(steps));
  }

  private static Step step(Matcher found) {
    if (found.group(5) != null) {
      return new Step(null, true, Long.parseLong(found.group(5)));
    }
    if (found.group(1) != null) {
      return new Step(found.group(1).replace("``", "`"), false, 0);
    }
    if (found.group(2) != null) {
      return new Step(found.group(2), false, 0);
    }
    return new Step(found.group(3) == null ? found.group(4) : found.group(3), true, 0);
  }

  /** Returns a path as people write it. */
  static String shown(String written) {
    return written.replace("[" + EACH + "]", "[*]");
  }

  /** Returns whether the path may lead to several values: they come as an array. */
  boolean several() {
    return steps.stream().anyMatch(Step::each);
  }

  /** Returns the value, or null where there is none, where it is null, and where no JSON is. */
  public UTF8String extract(UTF8String json) {
    List<String> found = new ArrayList<>();
    try (JsonParser at = FACTORY.createParser(json.getBytes())) {
      if (at.nextToken() == null) {
        return null;
      }
      find(at, 0, found);
      if (at.nextToken() != null) {
        return null;
      }
    } catch (IOException notJson) {
      return null;
    }
    if (found.isEmpty()) {
      return null;
    }
    return UTF8String.fromString(several() ? "[" + String.join(",", found) + "]" : found.get(0));
  }

  private void find(JsonParser at, int depth, List<String> found) throws IOException {
    if (depth == steps.size()) {
      if (at.currentToken() != JsonToken.VALUE_NULL || steps.get(depth - 1).each()) {
        found.add(text(at));
      }
      return;
    }
    Step step = steps.get(depth);
    if (step.field() != null && at.isExpectedStartObjectToken()) {
      findField(at, step, depth, found);
    } else if (step.field() == null && at.isExpectedStartArrayToken()) {
      for (long i = 0; at.nextToken() != JsonToken.END_ARRAY; i++) {
        if (step.each() || step.index() == i) {
          find(at, depth + 1, found);
        } else {
          at.skipChildren();
        }
      }
    } else {
      at.skipChildren();
    }
  }

  private void findField(JsonParser at, Step step, int depth, List<String> found)
      throws IOException {
    String first = null;
    while (at.nextToken() == JsonToken.FIELD_NAME) {
      String name = at.currentName();
      at.nextToken();
      if (step.names(name) && first == null) {
        first = name;
        find(at, depth + 1, found);
      } else if (step.names(name) && !name.equals(first)) {
        throw ambiguous(step.field());
      } else {
        at.skipChildren();
      }
    }
  }

  /** Returns an error that Spark brings from its tasks to the user, as it is. */
  private static SparkRuntimeException ambiguous(String field) {
    Map<String, String> parameters = Map.of("field", Sql.quoted(field), "count", "2");
    return new SparkRuntimeException("AMBIGUOUS_REFERENCE_TO_FIELDS",
        scala.collection.immutable.Map.from(CollectionConverters.asScala(parameters)),
        (Throwable) null, new QueryContext[0], "");
  }

  /** Returns the text of one value; a string stands in quotes only within an array. */
  private String text(JsonParser at) throws IOException {
    boolean string = at.currentToken() == JsonToken.VALUE_STRING;
    if (at.currentToken().isScalarValue() && !(string && several())) {
      return at.getText();
    }
    StringWriter text = new StringWriter();
    try (JsonGenerator out = FACTORY.createGenerator(text)) {
      out.copyCurrentStructureExact(at);
    }
    return text.toString();
  }
}
