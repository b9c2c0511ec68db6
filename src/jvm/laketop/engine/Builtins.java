package laketop.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.expressions.CurrentTimestamp;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.types.DataTypes;
import scala.Function1;
import scala.Tuple3;
import scala.collection.immutable.Seq;
import scala.jdk.javaapi.CollectionConverters;

/** Functions that Databricks has and Spark lacks: added, or refused by name. */
final class Builtins {
  /** What calls models, or other services of Databricks. */
  private static final List<String> REFUSED = List.of(
      "ai_analyze_sentiment", "ai_classify", "ai_extract", "ai_fix_grammar", "ai_forecast",
      "ai_gen", "ai_generate_text", "ai_mask", "ai_parse_document", "ai_query", "ai_similarity",
      "ai_summarize", "ai_translate", "http_request", "vector_search");

  private Builtins() {}

  static List<Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>>>
      all() {
    List<Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>>> all =
        new ArrayList<>();
    all.add(of("is_account_group_member", Builtins::member));
    all.add(of("is_member", Builtins::member));
    SemiStructured.functions().forEach((name, build) -> all.add(of(name, build)));
    all.add(of("getdate", arguments -> new CurrentTimestamp()));
    all.add(of("current_metastore", arguments ->
        Literal$.MODULE$.create(Lake.metastore(), DataTypes.StringType)));
    List.of("secret", "try_secret").forEach(name -> all.add(of(name, arguments -> {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          name + " is not supported here; read the secret with dbutils.secrets.get.");
    })));
    all.add(of("current_recipient", arguments -> {
      throw Refusal.of("UNSUPPORTED_FEATURE",
          "current_recipient is not supported here: there is no Delta Sharing.");
    }));
    REFUSED.forEach(name -> all.add(of(name, arguments -> {
      throw Refusal.of("UNSUPPORTED_FEATURE", name + " is not supported here: it calls a service"
          + " of Databricks. Call a served model from Python instead.");
    })));
    return all;
  }

  private static Tuple3<FunctionIdentifier, ExpressionInfo, Function1<Seq<Expression>, Expression>>
      of(String name, Function<List<Expression>, Expression> build) {
    return new Tuple3<>(
        new FunctionIdentifier(name),
        new ExpressionInfo(Builtins.class.getName(), name),
        arguments -> build.apply(CollectionConverters.asJava(arguments)));
  }

  /** Returns whether the user of the session, also inside a view, is in the group. */
  private static Expression member(List<Expression> arguments) {
    if (arguments.size() != 1 || !arguments.get(0).foldable()) {
      throw Refusal.of("WRONG_NUM_ARGS",
          "A question for a group's members takes one argument, the group's name as a constant.");
    }
    Object group = arguments.get(0).eval(null);
    String user = Sessions.user();
    return Literal$.MODULE$.apply(group != null && Principals.groups(user).contains(group.toString()));
  }
}
