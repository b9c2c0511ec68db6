package laketop.engine;

import java.util.Map;
import org.apache.spark.SparkThrowable;

/** The error of someone who lacks a privilege. */
final class Denied extends SecurityException implements SparkThrowable {
  private static final String CONDITION = "INSUFFICIENT_PERMISSIONS";
  /** The class of such an error on Databricks, whose constructors are Spark's own. */
  static final String SHOWN = "org.apache.spark.SparkSecurityException";

  private final String report;

  Denied(String user, String privilege, String type, String object) {
    this("User '" + user + "' does not have " + privilege + " on " + type + " '" + object + "'.");
  }

  private Denied(String report) {
    super("[" + CONDITION + "] Insufficient privileges: " + report);
    this.report = report;
  }

  @Override
  public String getCondition() {
    return CONDITION;
  }

  @Override
  public String getErrorClass() {
    return CONDITION;
  }

  @Override
  public String getSqlState() {
    return "42501";
  }

  @Override
  public Map<String, String> getMessageParameters() {
    return Map.of("report", report);
  }
}
