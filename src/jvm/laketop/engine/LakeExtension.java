package laketop.engine;

import org.apache.spark.internal.config.ConfigEntry;
import org.apache.spark.sql.SparkSessionExtensions;
import org.apache.spark.sql.classic.SparkSession;
import org.apache.spark.sql.internal.SQLConf$;
import scala.runtime.AbstractFunction1;
import scala.runtime.BoxedUnit;

/** Puts the parser and the rules of laketop into every session. */
public final class LakeExtension extends AbstractFunction1<SparkSessionExtensions, BoxedUnit> {
  private static final String OTHER_ANALYZER = "spark.sql.analyzer.singlePassResolver.";

  @Override
  public BoxedUnit apply(SparkSessionExtensions extensions) {
    extensions.injectParser((session, inner) -> new EngineParser((SparkSession) session, inner));
    extensions.injectHintResolutionRule(session -> new FunctionRule((SparkSession) session));
    extensions.injectPlannerStrategy(session -> new ShownExplain((SparkSession) session));
    extensions.injectOptimizerRule(session -> new LogRows());
    extensions.injectColumnar(session -> new LogReplay());
    SparkApi.extend(extensions, Builtins.all());
    extensions.injectCheckRule(session -> SessionCatalogRule.of());
    extensions.injectCheckRule(session -> NameRule.of());
    extensions.injectCheckRule(session -> AccessRule.of((SparkSession) session));
    extensions.injectCheckRule(session -> PolicyRule.changes());
    extensions.injectCheckRule(session -> PolicyWrites.of((SparkSession) session));
    keepAnalyzer();
    return BoxedUnit.UNIT;
  }

  /** Spark's other analyzer asks none of the rules above, so that no session may turn to it. */
  private static void keepAnalyzer() {
    SQLConf$ all = SQLConf$.MODULE$;
    all.getConfigEntries().stream()
        .map(ConfigEntry::key)
        .filter(key -> key.startsWith(OTHER_ANALYZER))
        .forEach(all::registerStaticConfigKey);
  }
}
