package laketop.engine;

import org.apache.spark.connect.proto.ExecutePlanRequest;
import org.sparkproject.connect.grpc.ForwardingServerCallListener;
import org.sparkproject.connect.grpc.Metadata;
import org.sparkproject.connect.grpc.ServerCall;
import org.sparkproject.connect.grpc.ServerCallHandler;
import org.sparkproject.connect.grpc.ServerInterceptor;
import org.sparkproject.connect.grpc.Status;
import org.sparkproject.connect.protobuf.Descriptors.FieldDescriptor;
import org.sparkproject.connect.protobuf.Message;

/** Lets a call in by its bearer token, which alone decides who the user is. */
public final class UserInterceptor implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> CALLER =
      Metadata.Key.of("x-laketop-caller", Metadata.ASCII_STRING_MARSHALLER);
  private static final String SCHEME = "Bearer ";

  @Override
  public <A, B> ServerCall.Listener<A> interceptCall(
      ServerCall<A, B> call, Metadata headers, ServerCallHandler<A, B> next) {
    Users.User user = user(headers.get(AUTHORIZATION));
    if (user == null) {
      String sentence = "[UNAUTHENTICATED] a valid token is needed";
      call.close(Status.UNAUTHENTICATED.withDescription(sentence), new Metadata());
      return new ServerCall.Listener<A>() {};
    }
    Activity.touch();
    String caller = headers.get(CALLER);
    return new ForwardingServerCallListener.SimpleForwardingServerCallListener<A>(
        next.startCall(new ShownCall<>(call), headers)) {
      @Override
      public void onMessage(A message) {
        A signed = understood(signed(message, user.name()));
        if (signed instanceof Message call) {
          StreamWorkers.expect(call);
          Callers.note(user.name(), call, caller);
        }
        super.onMessage(signed);
      }
    };
  }

  @SuppressWarnings("unchecked")
  private static <A> A understood(A request) {
    return request instanceof ExecutePlanRequest plan ? (A) CatalogCalls.understood(plan) : request;
  }

  private static Users.User user(String header) {
    return header != null && header.startsWith(SCHEME)
        ? Users.ofToken(header.substring(SCHEME.length()))
        : null;
  }

  /** Writes the user over whomever the client claims to be. */
  @SuppressWarnings("unchecked")
  private static <A> A signed(A request, String user) {
    if (!(request instanceof Message message)) {
      return request;
    }
    FieldDescriptor field = message.getDescriptorForType().findFieldByName("user_context");
    if (field == null) {
      return request;
    }
    Message.Builder context = ((Message) message.getField(field)).toBuilder();
    context.setField(context.getDescriptorForType().findFieldByName("user_id"), user);
    return (A) message.toBuilder().setField(field, context.build()).build();
  }
}
