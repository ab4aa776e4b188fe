"""
Apache Spark in this process: PySpark's local mode, which is the engine itself on threads of one JVM.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from endcap.recommend.spark import session
from tests.services import needs

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    # The quick compiler alone: a short job spends two thirds of its time in the thorough one.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    # Planning anew after every stage takes several times longer than a few thousand lines do.
    "spark.sql.adaptive.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@contextmanager
def running_spark() -> Iterator["SparkSession"]:
    """Needs Java and PySpark; scripts/test installs both."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        needs.lacking("Java is not installed; Debian's package is default-jre-headless")
    if find_spec("pyspark") is None:
        needs.lacking("PySpark is not installed; scripts/setup --spark installs it")
    with session(**SETTINGS) as spark:
        spark.sparkContext.setLogLevel("ERROR")
        yield spark
