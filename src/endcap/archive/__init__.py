"""
Where events go when the database is done with them: Parquet files by tracker and day, on a disk or an object storage.

Any tool that reads Parquet reads them: `events/tracker=…/date=YYYY-MM-DD/part-….parquet`. A part is written once; it is
written anew only to forget a shopper, and goes when its day is older than the retention.
"""
