"""The revisions, in order: NNNN_pre_name (additive, before a rollout) or NNNN_post_name (after)."""
