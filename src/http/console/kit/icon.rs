//! Icons: those of Tabler that the console uses, embedded (`assets/icons/`, whose licence stands beside them).
//!
//! An icon stands beside a text and says nothing more, so screen readers do not hear it. Templates ask by a method
//! (`f.icons.home()`): one that does not exist does not compile.

use std::fmt;

use askama::filters::HtmlSafe;

/// Declares each icon: its variant, its name, its file, and its method for templates, if one asks for it.
macro_rules! icons {
    ($($variant:ident $name:literal $file:literal $($method:ident)?;)*) => {
        /// An icon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon { $($variant),* }

        impl Icon {
            /// Every icon, with its name.
            pub const ALL: &[(Icon, &str)] = &[$((Icon::$variant, $name)),*];

            /// The SVG element.
            pub const fn svg(self) -> &'static str {
                match self {
                    $(Icon::$variant => include_str!(concat!("../../../../assets/icons/", $file, ".svg"))),*
                }
            }
        }

        impl Icons {
            $($(pub fn $method(self) -> Icon { Icon::$variant })?)*
        }
    };
}

/// The icons as templates ask for them.
#[derive(Clone, Copy)]
pub struct Icons;

icons! {
    Home "home" "home";
    Customers "customers" "users" customers;
    Deals "deals" "briefcase" deals;
    Meetings "meetings" "calendar-event" meetings;
    Tasks "tasks" "checkbox" tasks;
    Approvals "approvals" "file-check" approvals;
    Bell "bell" "bell" bell;
    Reports "reports" "chart-bar";
    Processes "processes" "stack-2" processes;
    Shield "shield" "shield-lock";
    Search "search" "search" search;
    NoMatch "no_match" "list-search" no_match;
    Add "add" "plus" add;
    Edit "edit" "pencil" edit;
    Delete "delete" "trash" delete;
    LogOut "log_out" "logout" log_out;
    Download "download" "download" download;
    Upload "upload" "upload" upload;
    Columns "columns" "columns-3" columns;
    View "view" "bookmark" view;
    Warning "warning" "alert-triangle";
    Good "good" "circle-check";
    Bad "bad" "circle-x";
    Clock "clock" "clock";
    Progress "progress" "progress";
    Attachment "attachment" "paperclip" attachment;
    Comment "comment" "message-circle" comment;
    History "history" "history" history;
}

impl Icon {
    /// The icon of a status that deserves one, by the word of its badge.
    pub fn of_status(word: &str) -> Option<Self> {
        match word {
            "overdue" => Some(Self::Warning),
            "soon" | "pending" => Some(Self::Clock),
            "approved" | "done" | "completed" => Some(Self::Good),
            "rejected" | "failed" | "cancelled" => Some(Self::Bad),
            "running" => Some(Self::Progress),
            _ => None,
        }
    }
}

impl fmt::Display for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.svg().trim_end())
    }
}

/// It is markup of ours.
impl HtmlSafe for Icon {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_icon_is_one_small_element_that_screen_readers_pass_over() {
        let mut drawings = HashSet::new();
        for (icon, name) in Icon::ALL {
            let svg = icon.to_string();
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{name}");
            assert!(svg.contains("aria-hidden=\"true\"") && svg.contains("class=\"icon\""), "{name}");
            assert!(!svg.contains("style=") && !svg.contains("<script") && svg.len() < 900, "{name}");
            assert!(drawings.insert(svg), "{name} is drawn like another");
        }
    }

    #[test]
    fn a_status_has_an_icon_where_it_asks_for_something_or_ends() {
        assert_eq!(Icon::of_status("overdue"), Some(Icon::Warning));
        assert_eq!(Icon::of_status("rejected"), Some(Icon::Bad));
        assert_eq!(Icon::of_status("later"), None);
    }
}
