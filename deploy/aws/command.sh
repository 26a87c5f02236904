#!/usr/bin/env bash
# Runs one command of trackai beside the services at Amazon, prints what it said, and ends as it
# ended: deploy/aws/command.sh trackai-production alarms deployed --version 1.4.0
# Needs the AWS command line, with the role that rolls out.
set -euo pipefail
stack="$1"
shift

# The checklist looks at alarms and logs at Amazon; what runs as the migration may not.
case "$1 ${2:-}" in
  "golive check") kind=Check ;;
  *) kind=Migrate ;;
esac

told() {
  aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue | [0]"
}

cluster="$(told ClusterIs)"
logs="$(told "${kind}LogsIs")"
words="$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")"
task="$(aws ecs run-task --output text --query 'tasks[0].taskArn' \
  --cluster "$cluster" --task-definition "$(told "${kind}TaskIs")" --launch-type FARGATE --started-by command \
  --network-configuration "awsvpcConfiguration={subnets=[$(told TaskSubnetsIs)],securityGroups=[$(told TaskGroupIs)],assignPublicIp=DISABLED}" \
  --overrides "{\"containerOverrides\":[{\"name\":\"trackai\",\"command\":$words}]}")"
if [ "$task" = None ]; then
  echo "The task did not start." >&2
  exit 1
fi
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
code="$(aws ecs describe-tasks --output text --query 'tasks[0].containers[0].exitCode' --cluster "$cluster" --tasks "$task")"
# Its log stream is named by the kind of process, the container and the task. The last lines suffice.
aws logs get-log-events --output text --query 'events[].[message]' --limit 1000 \
  --log-group-name "$logs" --log-stream-name "${logs##*/}/trackai/${task##*/}" ||
  echo "Its lines could not be read: $logs, $task" >&2
if [ "$code" != 0 ]; then
  echo "trackai $1 ended with $code." >&2
  exit 1
fi
