#!/usr/bin/env bash
# Runs one command of trackai beside the services at Amazon, as the migration runs, and ends as it
# ended: deploy/aws/command.sh trackai-production alarms deployed --version 1.4.0
# Needs the AWS command line, with the role that rolls out.
set -euo pipefail
stack="$1"
shift

told() {
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue | [0]"
}

cluster="$(told ClusterIs)"
words="$(printf '%s\n' "$@" | python3 -c 'import json, sys; print(json.dumps(sys.stdin.read().splitlines()))')"
task="$(aws ecs run-task --output text --query 'tasks[0].taskArn' \
  --cluster "$cluster" --task-definition "$(told MigrateTaskIs)" --launch-type FARGATE --started-by command \
  --network-configuration "awsvpcConfiguration={subnets=[$(told TaskSubnetsIs)],securityGroups=[$(told TaskGroupIs)],assignPublicIp=DISABLED}" \
  --overrides "{\"containerOverrides\":[{\"name\":\"trackai\",\"command\":$words}]}")"
if [ "$task" = None ]; then
  echo "The task did not start." >&2
  exit 1
fi
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
code="$(aws ecs describe-tasks --output text --query 'tasks[0].containers[0].exitCode' --cluster "$cluster" --tasks "$task")"
if [ "$code" != 0 ]; then
  echo "trackai $1 ended with $code. Its lines: $(told MigrateLogsIs), $task" >&2
  exit 1
fi
