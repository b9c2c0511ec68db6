package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.spark.connect.proto.AnalyzePlanResponse;
import org.apache.spark.connect.proto.FetchErrorDetailsResponse;
import org.sparkproject.connect.google_protos.rpc.ErrorInfo;
import org.sparkproject.connect.grpc.ForwardingServerCall;
import org.sparkproject.connect.grpc.Metadata;
import org.sparkproject.connect.grpc.ServerCall;
import org.sparkproject.connect.grpc.Status;
import org.sparkproject.connect.protobuf.Any;
import org.sparkproject.connect.protobuf.Descriptors.FieldDescriptor;
import org.sparkproject.connect.protobuf.Descriptors.FieldDescriptor.JavaType;
import org.sparkproject.connect.protobuf.InvalidProtocolBufferException;
import org.sparkproject.connect.protobuf.Message;

/**
 * A call whose errors, plans and trees name functions as people do. All else is left as it is:
 * clients send back the relations, columns and settings that they are answered.
 */
final class ShownCall<A, B> extends ForwardingServerCall.SimpleForwardingServerCall<A, B> {
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  ShownCall(ServerCall<A, B> call) {
    super(call);
  }

  @Override
  @SuppressWarnings("unchecked")
  public void sendMessage(B message) {
    super.sendMessage(message instanceof Message told && isForReading(told)
        ? (B) shown(told) : message);
  }

  private static boolean isForReading(Message answer) {
    return answer instanceof FetchErrorDetailsResponse
        || answer instanceof AnalyzePlanResponse told
        && (told.hasExplain() || told.hasTreeString());
  }

  @Override
  public void close(Status status, Metadata trailers) {
    byte[] details = trailers.get(DETAILS);
    if (details != null) {
      trailers.discardAll(DETAILS);
      trailers.put(DETAILS, shown(details));
    }
    String told = status.getDescription();
    super.close(told == null ? status : status.withDescription(ShownNames.in(told)), trailers);
  }

  private static byte[] shown(byte[] details) {
    try {
      var status = org.sparkproject.connect.google_protos.rpc.Status.parseFrom(details).toBuilder();
      for (int i = 0; i < status.getDetailsCount(); i++) {
        Any detail = status.getDetails(i);
        if (detail.is(ErrorInfo.class)) {
          status.setDetails(i, Any.pack(shown(detail.unpack(ErrorInfo.class))));
        }
      }
      return shown(status.build()).toByteArray();
    } catch (InvalidProtocolBufferException e) {
      return details; // of another kind, which says nothing of functions
    }
  }

  /** Returns the message with the texts in it shown; the same one where nothing changes. */
  @SuppressWarnings("unchecked")
  private static <M extends Message> M shown(M message) {
    Message.Builder changed = null;
    for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
      Object now = shown(field.getKey(), field.getValue());
      if (!now.equals(field.getValue())) {
        changed = changed == null ? message.toBuilder() : changed;
        changed.setField(field.getKey(), now);
      }
    }
    return changed == null ? message : (M) changed.build();
  }

  private static Object shown(FieldDescriptor field, Object value) {
    if (field.getJavaType() != JavaType.STRING && field.getJavaType() != JavaType.MESSAGE) {
      return value;
    }
    if (!(value instanceof List<?> many)) {
      return one(value);
    }
    List<Object> now = new ArrayList<>();
    many.forEach(each -> now.add(one(each)));
    return now;
  }

  private static Object one(Object value) {
    return value instanceof String text ? ShownNames.in(text) : shown((Message) value);
  }
}
