package laketop.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Iterator;
import java.util.Map;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/** What a row does not hold of the JSON object that it was read from. */
final class Misfits {
  private final RescuedReading reading;

  Misfits(RescuedReading reading) {
    this.reading = reading;
  }

  /** Returns the fields that the row has not, or only in part; of an object in it, those of it. */
  ObjectNode of(ObjectNode object, StructType type, InternalRow row) {
    ObjectNode rest = nested(object, type, row);
    Iterator<String> names = rest.fieldNames();
    while (names.hasNext()) {
      if (reading.ofFolders(names.next())) {
        names.remove();
      }
    }
    return rest;
  }

  private ObjectNode nested(ObjectNode object, StructType type, InternalRow row) {
    ObjectNode rest = JsonNodeFactory.instance.objectNode();
    Iterator<Map.Entry<String, JsonNode>> fields = object.fields();
    while (fields.hasNext()) {
      Map.Entry<String, JsonNode> field = fields.next();
      scala.Option<Object> at = type.getFieldIndex(field.getKey());
      JsonNode lost = at.isEmpty()
          ? field.getValue()
          : lost(field.getValue(), type.apply((int) at.get()).dataType(), row, (int) at.get());
      if (lost != null) {
        rest.set(field.getKey(), lost);
      }
    }
    return rest;
  }

  /** Returns what is lost of a value, or null where nothing is. */
  private JsonNode lost(JsonNode value, DataType type, SpecializedGetters row, int at) {
    if (value.isNull()) {
      return null;
    }
    if (row.isNullAt(at)) {
      return value;
    }
    if (type instanceof StructType struct && value instanceof ObjectNode object) {
      ObjectNode rest = nested(object, struct, row.getStruct(at, struct.size()));
      return rest.isEmpty() ? null : rest;
    }
    boolean partly = type instanceof ArrayType list && value.isArray()
        && partly(value, list.elementType(), row.getArray(at))
        || type instanceof MapType map && value.isObject()
        && partly(value, map.valueType(), row.getMap(at));
    return partly ? value : null;
  }

  private boolean partly(JsonNode list, DataType type, ArrayData values) {
    boolean partly = list.size() != values.numElements();
    for (int i = 0; !partly && i < list.size(); i++) {
      partly = lost(list.get(i), type, values, i) != null;
    }
    return partly;
  }

  private boolean partly(JsonNode object, DataType type, MapData map) {
    for (int i = 0; i < map.numElements(); i++) {
      String key = map.keyArray().get(i, DataTypes.StringType).toString();
      JsonNode value = object.get(key);
      if (value != null && lost(value, type, map.valueArray(), i) != null) {
        return true;
      }
    }
    return object.size() != map.numElements();
  }
}
