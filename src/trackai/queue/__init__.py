"""Which delivery next: engines that hand out references to deliveries, never their content."""
