//! What becomes of an object or array when all of it has been read.

use std::io::Read;

use serde_json::Value;
use umbilical_core::bom::{Design, Part};
use umbilical_core::text::{clean, short};

use super::level::{Kind, Level, List, Object, path_of};
use super::part;
use super::validate;
use super::walk::{TOLD, Walk, said};

impl<R: Read> Walk<'_, R> {
    pub(super) fn close(&mut self, level: Level) {
        match level {
            Level::Object(object) => self.close_object(object),
            Level::List(list) => self.close_list(list),
        }
    }

    fn close_list(&mut self, list: List) {
        let path = self.path();
        let dot = if path.is_empty() { "" } else { "." };
        let path = format!("{path}{dot}{}", list.name);
        if list.strange > TOLD {
            let more = list.strange.saturating_sub(TOLD);
            self.out.problem(list.at, format!("{path}: {more} more elements that are no objects"));
        }
        if self.checks.is_on() {
            self.checks.array(&list.name, &list.items, list.at, &path);
        }
        self.kept.count(&list.name, list.count, self.out);
        if let Some(Level::Object(object)) = self.levels.last_mut() {
            object.children = Some((list.items.digest(), list.items.count()));
        }
    }

    fn close_object(&mut self, mut object: Object) {
        self.held = self.held.saturating_sub(object.text.len());
        object.text.push(b'}');
        let name = match object.kind {
            Kind::Metadata => "metadata",
            Kind::Product => "component",
            Kind::Document | Kind::Component => "",
        };
        let value = crate::json::parsed_bytes(&object.text);
        let members = object.members;
        let value = match value {
            Ok(Value::Object(map)) => {
                if map.len() < members {
                    self.problem(object.at, name, &format!("{} names stand twice: the last counts", members.saturating_sub(map.len())));
                }
                map
            }
            Ok(_) => return,
            Err(error) => {
                let path = self.path();
                let dot = if path.is_empty() || name.is_empty() { "" } else { "." };
                self.checks.fail(self.out, object.at, format!("{path}{dot}{name}: {}", said(&error)));
                // The text stays where a part was to be, so that nothing is lost and what it holds still has its parent.
                if let Some(slot) = object.part.and_then(|i| self.out.bom(Design::Statement).parts.get_mut(i as usize)) {
                    let text = String::from_utf8_lossy(&object.text);
                    slot.properties.push(("json:".into(), short(&clean(&text), 4096).into()));
                }
                if let (Kind::Metadata | Kind::Product, Some(Level::Object(outer))) = (object.kind, self.levels.last_mut()) {
                    outer.text.extend_from_slice(b"{}");
                    outer.cut = true;
                }
                return;
            }
        };
        match object.kind {
            Kind::Component => self.close_component(&object, value),
            Kind::Metadata | Kind::Product => {
                let Some(Level::Object(outer)) = self.levels.last_mut() else { return };
                outer.text.extend_from_slice(&object.text);
                outer.cut |= object.cut;
                self.held = self.held.saturating_add(object.text.len());
                if object.kind == Kind::Product {
                    let reading = part::component(value, object.at);
                    for (field, what) in &reading.problems {
                        self.problem(object.at, &format!("component.{field}"), what);
                    }
                    self.kept.product(reading, self.out);
                }
            }
            Kind::Document => {
                let value = Value::Object(value);
                if !object.cut {
                    self.checks.document(&value, object.at);
                }
                self.kept.document(value, self.out);
            }
        }
    }

    fn close_component(&mut self, object: &Object, value: serde_json::Map<String, Value>) {
        let value = Value::Object(value);
        if self.checks.is_on() {
            let own = validate::digest(&value, &mut self.scratch);
            let whole = object.children.map_or(own, |(children, count)| validate::with_children(own, children, count));
            if let Some(Level::List(list)) = self.levels.last_mut() {
                list.items.push(whole);
            }
            if !object.cut {
                self.checks.item("components", &value, object.at, &|| path_of(&self.levels));
            }
        }
        let Value::Object(members) = value else { return };
        let reading = part::component(members, object.at);
        for (field, what) in &reading.problems {
            self.problem(object.at, field, what);
        }
        if let Some(slot) = object.part.and_then(|i| self.out.bom(Design::Statement).parts.get_mut(i as usize)) {
            let parent = slot.parent;
            *slot = Part { parent, ..reading.part };
        }
        if let (Some(index), Some(holder)) = (object.part, reading.holder) {
            self.held_by.push((index, holder));
        }
    }
}
