"""What can be known to fail before Metaflow packs, uploads or starts anything, told in one line."""

from featurization.errors import ConfigError

_BATCH = ("ECS_S3_ACCESS_IAM_ROLE", "SFN_IAM_ROLE", "SFN_DYNAMO_DB_TABLE")
_EVENTS = ("ARGO_EVENTS_EVENT", "ARGO_EVENTS_EVENT_SOURCE", "ARGO_EVENTS_SERVICE_ACCOUNT", "ARGO_EVENTS_WEBHOOK_URL")
_NAMES = {"argo": "Argo Workflows", "step-functions": "Step Functions", "local": "this machine"}


def check_engine(command, platform, flow, profile):
    """ConfigError unless the profile is for the engine of `command`, and Metaflow is configured for it."""
    from metaflow import metaflow_config

    if profile.platform != platform:
        raise ConfigError(
            f"the profile is for {_NAMES[profile.platform]}; before `{command} create` give one for "
            f"{_NAMES[platform]}, such as --config profile config/{platform}.toml"
        )
    if platform == "step-functions":
        needed = [*_BATCH, *(["EVENTS_SFN_ACCESS_IAM_ROLE"] if flow in profile.schedules else [])]
    else:
        needed = [*_EVENTS] if profile.triggers else []
    missing = [name for name in needed if not getattr(metaflow_config, name, None)]
    if missing:
        names = ", ".join(f"METAFLOW_{name}" for name in missing)
        raise ConfigError(f"{_NAMES[platform]} needs {names}: set that, or run `metaflow configure`")


def check_datastore():
    """ConfigError if Metaflow's datastore is a bucket that cannot be used; others are not looked at."""
    from metaflow.datastore import FlowDataStore

    storage = FlowDataStore.default_storage_impl
    if storage.TYPE != "s3":
        return
    bucket, _, prefix = storage.datastore_root.removeprefix("s3://").partition("/")
    try:
        _client().list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
    except Exception as error:  # botocore's errors share no base, and each has one meaning here
        raise ConfigError(meaning(error, bucket)) from None


def _client():
    from botocore.config import Config
    from metaflow.metaflow_config import S3_ENDPOINT_URL
    from metaflow.plugins.aws.aws_client import get_aws_client

    patience = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 2})
    return get_aws_client("s3", client_params={"endpoint_url": S3_ENDPOINT_URL, "config": patience})


def meaning(error, bucket):
    """What an error of S3 means for somebody who starts a flow, in one line."""
    code = getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__)
    bucket = f"the bucket {bucket!r} of METAFLOW_DATASTORE_SYSROOT_S3"
    ways = {
        "NoSuchBucket": f"{bucket} does not exist",
        "AccessDenied": f"these credentials may not use {bucket}",
        "InvalidAccessKeyId": f"{bucket} is closed: the access key is unknown",
        "SignatureDoesNotMatch": f"{bucket} is closed: the secret key does not fit the access key",
        "ExpiredToken": f"{bucket} is closed: the credentials have expired, sign in again",
        "NoCredentialsError": f"{bucket} needs credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret",
        "EndpointConnectionError": f"{bucket} cannot be reached: is METAFLOW_S3_ENDPOINT_URL or the network right?",
    }
    return ways.get(code, f"{bucket} cannot be used ({' '.join(str(error).split())})")
