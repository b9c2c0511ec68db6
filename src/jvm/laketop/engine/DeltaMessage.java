package laketop.engine;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.ByteString;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;
import org.sparkproject.connect.protobuf.UnknownFieldSet;

/**
 * A message of Delta's Connect client, read by the numbers of its fields.
 *
 * <p>Source: the descriptors inside the Python package delta-spark 4.4, {@code delta.connect}.
 */
final class DeltaMessage {
  private static final String PACKAGE = "/delta.connect.";
  private final UnknownFieldSet fields;

  private DeltaMessage(UnknownFieldSet fields) {
    this.fields = fields;
  }

  /** Returns the message inside an extension of a plan, or null where it is of another name. */
  static DeltaMessage unpack(byte[] extension, String name) {
    try {
      Any any = Any.parseFrom(extension);
      return any.getTypeUrl().endsWith(PACKAGE + name) ? parse(any.getValue()) : null;
    } catch (InvalidProtocolBufferException e) {
      throw Lake.sneak(e);
    }
  }

  private static DeltaMessage parse(ByteString bytes) {
    try {
      return new DeltaMessage(UnknownFieldSet.parseFrom(bytes));
    } catch (InvalidProtocolBufferException e) {
      throw Lake.sneak(e);
    }
  }

  /** Returns the number of the one field that is set: which choice of a oneof was made. */
  int choice() {
    return fields.asMap().keySet().iterator().next();
  }

  boolean has(int number) {
    return fields.hasField(number);
  }

  DeltaMessage message(int number) {
    return parse(bytes(number));
  }

  List<DeltaMessage> messages(int number) {
    return all(number).stream().map(DeltaMessage::parse).toList();
  }

  /** Returns the bytes of a message that Spark's own classes read. */
  ByteString bytes(int number) {
    List<ByteString> all = all(number);
    return all.isEmpty() ? ByteString.EMPTY : all.get(all.size() - 1);
  }

  /** Returns the text of a field, or null where it is not set. */
  String text(int number) {
    return has(number) ? bytes(number).toStringUtf8() : null;
  }

  List<String> texts(int number) {
    return all(number).stream().map(ByteString::toStringUtf8).toList();
  }

  /** Returns a whole number, a flag as 0 or 1, or the number of an enum's value. */
  long number(int number) {
    List<Long> all = fields.getField(number).getVarintList();
    return all.isEmpty() ? 0 : all.get(all.size() - 1);
  }

  boolean flag(int number) {
    return number(number) != 0;
  }

  double real(int number) {
    return Double.longBitsToDouble(fields.getField(number).getFixed64List().get(0));
  }

  /** Returns a map of texts, whose entries are messages of a key and a value. */
  Map<String, String> map(int number) {
    Map<String, String> map = new TreeMap<>();
    messages(number).forEach(entry -> map.put(
        entry.bytes(1).toStringUtf8(), entry.bytes(2).toStringUtf8()));
    return map;
  }

  private List<ByteString> all(int number) {
    return fields.getField(number).getLengthDelimitedList();
  }
}
