why = Why?
why-request = By a request
why-schedule = At a fixed time
why-consumer = Kizuna, because of the event below ({ $text })
why-system = Kizuna itself
