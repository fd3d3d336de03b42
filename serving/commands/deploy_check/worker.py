"""The process that compiles: AWS is made once in memory, and each flow runs its command line in a fork of its own.

`python -m serving.commands.deploy_check.worker JSON`, as serving/commands/deploy_check/compiling.py starts it.
"""

from __future__ import annotations

import io
import json
import os
import runpy
import sys
import tarfile
import traceback
from pathlib import Path
from typing import Any

_HEAD = ["--no-pylint", "--config", "profile"]
_COMMANDS = {
    "argo": ["argo-workflows", "create", "--only-json"],  # more would need a cluster
    "step-functions": ["step-functions", "create"],
}


def main(asked: dict[str, Any]) -> None:
    """Compile the flows that are asked for, each into a file FLOW.json."""
    from moto import mock_aws

    with mock_aws():
        import boto3

        boto3.client("s3").create_bucket(Bucket=asked["bucket"])
        if asked["platform"] == "step-functions":
            _make_queues(asked["queues"])
        __import__("metaflow")  # once, before the forks
        for flow, file in asked["flows"].items():
            child = os.fork()
            if child == 0:
                os._exit(_compile(flow, file, asked))
            os.waitpid(child, 0)


def _make_queues(names: list[str]) -> None:
    """Job queues with the least that Batch wants around them."""
    import boto3

    batch, iam, ec2 = (boto3.client(name) for name in ("batch", "iam", "ec2"))
    role = iam.create_role(RoleName="rushes", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    profile = iam.create_instance_profile(InstanceProfileName="rushes")["InstanceProfile"]["Arn"]
    iam.add_role_to_instance_profile(InstanceProfileName="rushes", RoleName="rushes")
    resources = {
        "type": "EC2",
        "minvCpus": 0,
        "maxvCpus": 4,
        "desiredvCpus": 0,
        "instanceTypes": ["t2.small"],
        "subnets": [ec2.describe_subnets()["Subnets"][0]["SubnetId"]],
        "securityGroupIds": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        "instanceRole": profile,
    }
    machines = batch.create_compute_environment(
        computeEnvironmentName="rushes", type="MANAGED", state="ENABLED", serviceRole=role, computeResources=resources
    )["computeEnvironmentArn"]
    for name in names:
        order = [{"order": 1, "computeEnvironment": machines}]
        batch.create_job_queue(jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order)


def _compile(flow: str, file: str, asked: dict[str, Any]) -> int:
    """In the fork: run one flow's command line, then say what the engine got."""
    out, log = Path(asked["out"]) / f"{flow}.out", Path(asked["out"]) / f"{flow}.log"
    for path, descriptor in ((out, 1), (log, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    told: dict[str, Any] = {"flow": flow, "definition": {}}
    try:
        if error := _run(file, [*_HEAD, asked["profile"], *_COMMANDS[asked["platform"]]], log):
            told["error"] = error
        elif asked["platform"] == "argo":
            told["definition"] = json.loads(out.read_text())
        else:
            told |= _deployed()
        if not error:
            told |= _package(asked["bucket"])
    except Exception:
        told["error"] = traceback.format_exc().strip().splitlines()[-1]
    (Path(asked["out"]) / f"{flow}.json").write_text(json.dumps(told))
    return 0


def _run(file: str, arguments: list[str], log: Path) -> str:
    """Run a flow as `python FILE ARGUMENTS` would; returns why it failed, or nothing."""
    sys.argv = [file, *arguments]
    sys.path.insert(0, str(Path(file).parent))
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit as exit_:
        sys.stdout.flush()
        sys.stderr.flush()
        if exit_.code:
            return (" ".join(log.read_text().strip().splitlines()[-1:])).strip() or f"exit status {exit_.code}"
    return ""


def _deployed() -> dict[str, Any]:
    """The state machine, the images of its jobs, and its schedule, as AWS has them."""
    import boto3

    machines, batch, events = (boto3.client(name) for name in ("stepfunctions", "batch", "events"))
    arn = machines.list_state_machines()["stateMachines"][0]["stateMachineArn"]
    jobs = batch.describe_job_definitions()["jobDefinitions"]
    rules = events.list_rules()["Rules"]
    return {
        "definition": json.loads(machines.describe_state_machine(stateMachineArn=arn)["definition"]),
        "images": {job["jobDefinitionArn"]: job["containerProperties"]["image"] for job in jobs},
        "cron": rules[0]["ScheduleExpression"] if rules and rules[0]["State"] == "ENABLED" else "",
    }


def _package(bucket: str) -> dict[str, Any]:
    """The names in the code package that was uploaded, and its size."""
    import boto3

    s3 = boto3.client("s3")
    for held in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=held["Key"])["Body"].read()
        try:
            with tarfile.open(fileobj=io.BytesIO(body)) as archive:
                return {"package": archive.getnames(), "package_bytes": len(body)}
        except tarfile.TarError:
            continue
    raise LookupError("no code package was uploaded")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
