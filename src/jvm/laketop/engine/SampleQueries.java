package laketop.engine;

/**
 * What makes the rows of the samples: arithmetic on hashes of the row's number, so that every
 * machine has the same ones. Columns and types are those of the public sets, the values are not.
 */
final class SampleQueries {
  /** January and February 2016, 21,932 trips, as the public table has. */
  static final String TRIPS = """
      WITH numbers AS (
        SELECT id, pmod(xxhash64(id, 1), 5184000) AS second,
               pmod(xxhash64(id, 2), 10000) / 10000D AS far, pmod(xxhash64(id, 3), 1000) AS pause,
               array(10001, 10003, 10009, 10011, 10016, 10019, 10023, 10028, 10103, 10110, 10119,
                     10128, 10153, 10199, 10282, 11101, 11103, 11109, 11201, 11217, 11231, 11371,
                     11422) AS zips
        FROM range(0, 21932, 1, 1)),
      trips AS (
        SELECT *, round(0.4 + 18 * power(far, 4) + 3 * far, 2) AS miles,
               TIMESTAMP'2016-01-01 00:00:00' + make_dt_interval(0, 0, 0, second) AS begun
        FROM numbers)
      SELECT begun AS tpep_pickup_datetime,
             begun + make_dt_interval(0, 0, 0, CAST(150 + 230 * miles + pause AS BIGINT))
               AS tpep_dropoff_datetime,
             miles AS trip_distance,
             round((2.5 + 2.35 * miles + pause / 400D) * 2) / 2 AS fare_amount,
             zips[CAST(pmod(xxhash64(id, 4), 23) AS INT)] AS pickup_zip,
             zips[CAST(pmod(xxhash64(id, 5), 23) AS INT)] AS dropoff_zip
      FROM trips""";

  static final String BOOKINGS = """
      WITH numbers AS (
        SELECT id + 1 AS booking_id, pmod(xxhash64(id, 1), 20000) + 1 AS user_id,
               pmod(xxhash64(id, 2), 5000) + 1 AS property_id,
               date_add(DATE'2023-06-01', CAST(pmod(xxhash64(id, 3), 900) AS INT)) AS check_in,
               CAST(pmod(xxhash64(id, 4), 13) + 1 AS INT) AS nights,
               CAST(pmod(xxhash64(id, 5), 6) + 1 AS INT) AS guests,
               pmod(xxhash64(id, 6), 26000) / 100D AS rate, pmod(xxhash64(id, 7), 100) AS lot,
               CAST(pmod(xxhash64(id, 8), 90) + 1 AS INT) AS ahead,
               pmod(xxhash64(id, 9), 86400) AS second
        FROM range(0, 20000, 1, 1)),
      bookings AS (
        SELECT *, date_sub(check_in, ahead) + make_dt_interval(0, 0, 0, second) AS made
        FROM numbers)
      SELECT booking_id, user_id, property_id, check_in, date_add(check_in, nights) AS check_out,
             guests AS guests_count, CAST(round(nights * (40 + rate), 2) AS FLOAT) AS total_amount,
             CASE WHEN lot < 55 THEN 'completed' WHEN lot < 75 THEN 'confirmed'
                  WHEN lot < 92 THEN 'cancelled' ELSE 'pending' END AS status,
             made AS created_at, made + make_dt_interval(0, CAST(lot AS INT)) AS updated_at
      FROM bookings""";

  /** One JSON file, as the public folder has; the shapes are what Spark infers from that. */
  static final String SALES_ORDERS = """
      WITH numbers AS (
        SELECT id, pmod(xxhash64(id, 1), 28000) AS customer, CAST(pmod(xxhash64(id, 2), 5) + 1
               AS INT) AS lines, pmod(xxhash64(id, 3), 7776000) AS second
        FROM range(0, 4000, 1, 1)),
      products AS (
        SELECT *, transform(sequence(1, lines), line -> named_struct(
            'curr', 'USD',
            'id', concat('AV', substr(sha2(CAST(pmod(xxhash64(id, line), 300) AS STRING), 256), 1, 18)),
            'name', concat('Product ', pmod(xxhash64(id, line), 300)),
            'price', pmod(xxhash64(pmod(xxhash64(id, line), 300)), 2000) + 5,
            'promotion_info', IF(pmod(xxhash64(id, line), 10) = 0, named_struct(
                'promo_disc', 0.03D, 'promo_id', pmod(xxhash64(id, line), 7),
                'promo_item', concat('AV', substr(sha2(CAST(pmod(xxhash64(id, line), 300) AS STRING),
                                                       256), 1, 18)),
                'promo_qty', 2L), NULL),
            'qty', pmod(xxhash64(line, id), 4) + 1, 'unit', 'pcs')) AS ordered
        FROM numbers)
      SELECT transform(ordered, p -> array(p.id, CAST(pmod(xxhash64(p.id), 150) AS STRING)))
               AS clicked_items,
             12000000 + customer AS customer_id, concat('customer ', customer) AS customer_name,
             CAST(lines AS STRING) AS number_of_line_items,
             CAST(1564617600 + second AS STRING) AS order_datetime,
             317560000 + id AS order_number, ordered AS ordered_products,
             transform(filter(ordered, p -> p.promotion_info IS NOT NULL), p -> p.promotion_info)
               AS promo_info
      FROM products""";

  private SampleQueries() {}
}
