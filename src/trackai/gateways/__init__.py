"""Payment platforms: prove a webhook authentic and translate it. Adapters never store or send."""
